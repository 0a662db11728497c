// Package browser drives the demo in a real Chromium: what a cookie attribute
// means is decided there and nowhere else. It runs the core in a service worker,
// too.
package browser

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium: install it (Debian: apt-get install chromium)")
	}
	t.Skip("SKIPPED, LOUDLY: no Chromium here; install it (Debian: apt-get install chromium) to run the browser tests")
	return ""
}

// A browser is one run of Chromium over a profile, which a later run may open
// again.
type browser struct {
	t   *testing.T
	ctx context.Context
	end context.CancelFunc
}

func launch(t *testing.T, profile string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &browser{t, ctx, sync.OnceFunc(func() { _ = chromedp.Cancel(ctx); cancel(); stop() })}
	require.NoError(t, chromedp.Do(ctx))
	t.Cleanup(func() { b.end() })
	return b
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
	all, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	require.NoError(b.t, err)
	for _, c := range all.Cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// command builds the command and returns its path.
func command(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sessionctl")
	build := exec.Command("go", "build", "-o", bin, "./cmd/sessionctl")
	build.Dir = "../../.." // in its own module
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// noScripts switches scripts off in this tab, but for those of the test.
func (b *browser) noScripts() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(b.t, err)
}

// demo runs the command's demo as a user would and returns its address.
func demo(t *testing.T, args ...string) (url string) {
	t.Helper()
	cmd := exec.Command(command(t), append([]string{"demo", "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = t.TempDir()
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if i := strings.Index(lines.Text(), "http"); i >= 0 {
			url, _, _ = strings.Cut(lines.Text()[i:], " ")
			go func() { // keep the pipe from filling up
				for lines.Scan() {
				}
			}()
			return strings.TrimRight(url, "/")
		}
	}
	t.Fatal("the demo printed no address")
	return ""
}
