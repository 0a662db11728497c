// Package browser drives the demo in a real Chromium: what a cookie attribute
// means is decided there and nowhere else. It runs the core in a service worker,
// too.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	_ "github.com/rockstar-web/sessions/stores/all"
	"github.com/stretchr/testify/require"
)

// patience bounds every step in the browser.
const patience = time.Minute

func chromium(t *testing.T) string {
	t.Helper()
	if path := installed("chromium", "chromium-browser", "google-chrome"); path != "" {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium: install it (Debian: apt-get install chromium)")
	}
	t.Skip("SKIPPED, LOUDLY: no Chromium here; install it (Debian: apt-get install chromium) to run the browser tests")
	return ""
}

// installed returns the path of the first of these programs, or nothing.
func installed(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// A browser is what one visitor holds: cookies, storage and tabs that no other visitor sees.
type browser struct {
	t   *testing.T
	ctx context.Context
	end context.CancelFunc
}

// run starts a Chromium over a profile, which a later run may open again.
func run(path, profile string) (ctx context.Context, end context.CancelFunc, err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	return ctx, sync.OnceFunc(func() { _ = chromedp.Cancel(ctx); cancel(); stop() }), chromedp.Do(ctx)
}

// launch returns the browser of a profile, in a Chromium of its own.
func launch(t *testing.T, profile string) *browser {
	t.Helper()
	ctx, end, err := run(chromium(t), profile)
	t.Cleanup(end)
	require.NoError(t, err)
	return &browser{t, ctx, end}
}

// scratch is a folder that the tests of this package share.
var scratch string

// shared is the Chromium of all visitors, started by the first of them.
var shared struct {
	sync.Once
	ctx context.Context
	end context.CancelFunc
	err error
}

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "sessions-browser-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if shared.end != nil {
		shared.end()
	}
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// visitor returns the browser of somebody new, of whom nothing is kept.
func visitor(t *testing.T) *browser {
	t.Helper()
	path := chromium(t)
	// The same engine without a browser's windows takes 40 % less time. It has no
	// partitions: tests of cookies launch the Chromium that people have.
	if shell := installed("chromium-headless-shell", "chrome-headless-shell"); shell != "" {
		path = shell
	}
	shared.Do(func() { shared.ctx, shared.end, shared.err = run(path, filepath.Join(scratch, "profile")) })
	require.NoError(t, shared.err)
	ctx, cancel := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	end := sync.OnceFunc(func() { _ = chromedp.Cancel(ctx); cancel() })
	t.Cleanup(end)
	require.NoError(t, chromedp.Do(ctx))
	return &browser{t, ctx, end}
}

// tab opens another tab of the same browser.
func (b *browser) tab() *browser {
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	require.NoError(b.t, chromedp.Do(ctx)) // the tab lives as long as the context of its first step
	return &browser{b.t, ctx, cancel}
}

// do carries out steps that stay on the page.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// load carries out steps that lead to a page, waits for it, and returns its
// status and the text that a visitor sees.
func (b *browser) load(steps ...chromedp.Action[chromedp.Void]) (status int64, text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	require.NoError(b.t, err)
	return response.Status, b.text()
}

// open goes to a page and returns the text that a visitor sees.
func (b *browser) open(url string) string {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	return b.text()
}

func (b *browser) text() string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text("body"))
	require.NoError(b.t, err)
	return text
}

// cookie returns the session cookie as the browser keeps it, or nil.
func (b *browser) cookie(name string) *network.Cookie {
	b.t.Helper()
	all, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, b.ofThis())
	require.NoError(b.t, err)
	for _, c := range all.Cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// ofThis asks for the cookies of this visitor alone.
func (b *browser) ofThis() storage.GetCookiesParams {
	return storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID}
}

// noScripts switches scripts off in this tab, but for those of the test.
func (b *browser) noScripts() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(b.t, err)
}
