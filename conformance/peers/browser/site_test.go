package browser

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// outside lists what a page has asked of other servers.
const outside = `performance.getEntriesByType("resource").map(e => e.name).filter(name => !name.startsWith(location.origin + "/"))`

// mounted says whether the scripts of a page of the site run.
const mounted = `!!document.querySelector("#app").__vue_app__`

// site serves what make docs has built, and lists its pages.
func site(t *testing.T) (url string, pages []string) {
	t.Helper()
	dir := os.DirFS("../../../site/dist")
	if _, err := fs.Stat(dir, "index.html"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the site is not built: run make docs")
		}
		t.Skip("SKIPPED, LOUDLY: the site is not built: run make docs")
	}
	require.NoError(t, fs.WalkDir(dir, ".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".html" {
			pages = append(pages, "/"+strings.TrimSuffix(path, "index.html"))
		}
		return err
	}))
	require.Greater(t, len(pages), 30)
	server := httptest.NewServer(http.FileServerFS(dir))
	t.Cleanup(server.Close)
	return server.URL, pages
}

// theirs are faults of VitePress's own parts that its options cannot mend: the
// search button and the results of a search have other names than they show, the
// 404 page has no main part, the search box is a button around other controls.
var theirs = map[string][]string{
	"every page": {"label-content-name-mismatch"},
	"/404.html":  {"landmark-one-main", "region"},
	"the search": {"nested-interactive"},
}

// fits: tables and code may scroll sideways within a page, the page may not; and it
// asks no other server.
func (b *browser) fits(name string) {
	b.t.Helper()
	b.waitFor(mounted)
	assert.Zero(b.t, evaluate[int](b, "document.documentElement.scrollWidth - innerWidth"), "%s is too wide", name)
	assert.Empty(b.t, evaluate[[]string](b, outside), name)
}

func (b *browser) judgePage(axe, name string) {
	b.t.Helper()
	evaluate[chromedp.Void](b, axe)
	found := slices.DeleteFunc(evaluate[[]string](b, axeRun), func(found string) bool {
		rule, _, _ := strings.Cut(found, ":")
		return slices.Contains(theirs["every page"], rule) || slices.Contains(theirs[name], rule)
	})
	assert.Empty(b.t, found, name)
}

// Axe is slow: it judges the pages that have all kinds of parts, in each look, and in make
// soak all pages in all looks. Every page is opened in one look at least.
func TestEverybodyCanUseTheSite(t *testing.T) {
	axe := string(npmFile(t, "axe-core", axeVersion, axeSum, "axe.min.js"))
	url, pages := site(t)
	parts := []string{"/", "/docs/getting-started.html", "/docs/security.html"}
	every := looks(t)
	for n, l := range every {
		t.Run(l.String(), func(t *testing.T) {
			b := visitor(t)
			b.look(l.width, l.scheme)
			for i, page := range pages {
				turn, part := i%len(every) == n, slices.Contains(parts, page)
				if turn || part || soak.On() {
					b.open(url + page)
					b.fits(page)
				}
				if part || soak.On() {
					b.judgePage(axe, page)
				}
			}
			b.search("revoke a leaked key")
			b.fits("the search")
			b.judgePage(axe, "the search")
		})
	}
}

// search types into the search field, by the keyboard alone.
func (b *browser) search(words string) {
	b.t.Helper()
	b.waitFor(mounted)
	b.do(chromedp.KeyEvent("/"))
	b.waitFor(`document.activeElement.id === "localsearch-input"`)
	b.do(chromedp.KeyEvent(words))
	b.waitFor(`document.querySelector(".VPLocalSearchBox .result") !== null`)
}

func TestSearchByKeyboard(t *testing.T) {
	url, _ := site(t)
	b := visitor(t)
	b.open(url)
	b.search("rotate a key")
	b.do(chromedp.KeyEvent("\r"))
	b.waitFor(`location.pathname === "/docs/keys.html" && location.hash === "#rotate-a-key"`)
}
