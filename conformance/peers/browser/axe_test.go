package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// axe-core finds what people with disabilities cannot use.
const (
	axeVersion = "4.14.1"
	axeSum     = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axeRun lists what axe finds on a page, by all its rules, as text.
const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(v =>
	v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.html + "\n  " + n.failureSummary).join("\n")))`

// cutOff lists what of a page lies beyond its right edge, or within a box that
// would have to be scrolled sideways.
const cutOff = `[...document.querySelectorAll("body *")].filter(e => {
	const box = e.getBoundingClientRect(), style = getComputedStyle(e);
	if (style.clipPath !== "none") return false; // for screen readers alone
	return box.right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && style.overflowX !== "visible";
}).map(e => e.outerHTML.slice(0, 120))`

// look is a window and the colours that a visitor prefers.
type look struct {
	width  int64
	scheme string
}

func (l look) String() string { return fmt.Sprint(l.width, " ", l.scheme) }

// looks has each width and each colour scheme once; in make soak they are combined.
func looks(t *testing.T) []look {
	all := []look{{390, "light"}, {1280, "dark"}, {390, "dark"}, {1280, "light"}}
	return all[:soak.Rounds(t, 2, len(all))]
}

// look sets the width and the colours of a tab.
func (b *browser) look(width int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 844))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(b.t, err)
}

// judge finds nothing wrong with the page that is shown.
func (b *browser) judge(axe, name string) {
	b.t.Helper()
	evaluate[chromedp.Void](b, axe)
	require.Empty(b.t, evaluate[[]string](b, axeRun), name)
	require.Empty(b.t, evaluate[[]string](b, cutOff), name)
}

func TestEverybodyCanUseTheDemo(t *testing.T) {
	axe := string(npmFile(t, "axe-core", axeVersion, axeSum, "axe.min.js"))
	site := demo(t)
	for _, l := range looks(t) {
		t.Run(l.String(), func(t *testing.T) {
			b := visitor(t)
			b.look(l.width, l.scheme)
			visit := func(paths ...string) {
				for _, path := range paths {
					b.open(site + path)
					b.judge(axe, path)
				}
			}
			visit("/", "/signin", "/cart", "/notes", "/session", "/prove", "/signed-out", "/nothing")
			b.open(site + "/cart")
			b.load(chromedp.Click(`[aria-label="Add Small radio to the cart"]`))
			b.load(chromedp.Click(`[aria-label="Add Oolong tea to the cart"]`))
			require.Equal(t, "tea-add", evaluate[string](b, `document.activeElement.id`), "the keyboard goes on there")
			b.judge(axe, "a cart")
			const fill = `Promise.all(Array.from({length: 99}, () => fetch("/cart",
				{method: "POST", redirect: "manual", body: new URLSearchParams({sku: "tea", do: "add"})}))).then(() => true)`
			b.open(site + "/prove") // which may send requests
			require.True(t, evaluate[bool](b, fill))
			b.open(site + "/cart")
			b.judge(axe, "a full cart")
			b.open(site + "/signin")
			b.do(chromedp.SendKeys("input[name=user]", "alice"), chromedp.SendKeys("input[name=password]", "wrong"))
			b.load(chromedp.Submit("input[name=password]"))
			b.judge(axe, "a wrong password")
			b.signIn(site, true)
			b.judge(axe, "a notice")
			b.open(site + "/notes")
			b.do(chromedp.SendKeys("textarea", "A note with a #tag and a #"+strings.Repeat("long", 100)))
			b.load(chromedp.Submit("textarea"))
			b.judge(axe, "a note")
			b.do(chromedp.SendKeys("textarea", "  "))
			b.load(chromedp.Submit("textarea"))
			b.judge(axe, "a note that is refused")
			visit("/", "/notes", "/session", "/devices", "/confirm", "/prove")
			b.do(chromedp.Click("summary"))
			for _, name := range []string{"adds", "once", "logout"} {
				b.prove(name)
			}
			b.judge(axe, "the proofs")
		})
	}
}
