package browser

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

// clicks is how often a visitor adds one, each time on any of three servers.
const clicks = 25

// cluster runs three servers behind one origin, as `make demo-cluster` does.
func cluster(t *testing.T) (site string) {
	t.Helper()
	chromium(t)
	cmd := exec.Command(built(t, "./examples/cluster"))
	cmd.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "STORE=")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	site, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimRight(site, "/\n")
}

// click adds one by a form again and again, and returns how many of the pages that
// follow miss one.
func (b *browser) click(site string) (missed int) {
	b.open(site + "/any/plain")
	for i := range clicks {
		b.load(chromedp.Submit("form"))
		if evaluate[string](b, `document.querySelector("#clicks").innerText`) != fmt.Sprint(i+1) {
			missed++
		}
	}
	return missed
}

// TestVisitorsReadTheirOwnChanges on three servers without affinity: by the cookie that
// follows a change. Without it some pages are of before a click.
func TestVisitorsReadTheirOwnChanges(t *testing.T) {
	site := cluster(t)
	b := visitor(t)
	require.Zero(t, b.click(site))

	behind, err := url.Parse(site)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host
		cookies := slices.DeleteFunc(r.In.Cookies(), func(c *http.Cookie) bool { return strings.HasSuffix(c.Name, core.ChangedSuffix) })
		r.Out.Header.Del("Cookie")
		for _, c := range cookies {
			r.Out.AddCookie(c)
		}
	}}
	without := httptest.NewServer(proxy)
	t.Cleanup(without.Close)
	missed := visitor(t).click(without.URL)
	t.Logf("without the cookie %d of %d pages missed a click", missed, clicks)
	require.NotZero(t, missed)
}

// press presses a button of the cluster's page by the keyboard, and waits for a text.
func (b *browser) press(id, until string) {
	b.t.Helper()
	b.do(chromedp.Focus("#"+id), chromedp.KeyEvent("\r"))
	b.waitFor(`document.querySelector("#result").innerText.includes("` + until + `")`)
}

// TestTheClusterPage: its buttons do what they say, and everybody can use it.
func TestTheClusterPage(t *testing.T) {
	axe := string(npmFile(t, "axe-core", axeVersion, axeSum, "axe.min.js"))
	site := cluster(t)
	for width, scheme := range map[int64]string{390: "dark", 1280: "light"} {
		b := visitor(t)
		b.look(width, scheme)
		b.open(site + "/")
		b.judge(axe, "the page")
		b.press("login", "has signed alice in")
		b.press("add", "has added 1: 1.")
		b.press("add", "has added 1: 2.")
		b.press("read", "100 reads in")
		require.Contains(t, b.text(), "Clicks: 2.")
		b.press("kill", "A new one runs in its place")
		b.press("stop", "stands still")
		b.waitFor(`document.querySelectorAll(".down").length === 1`)
		b.judge(axe, "a server that stands still")
		b.press("logout", "was acknowledged after")
		require.Equal(t, []string{"0", "0", "0"}, evaluate[[]string](b, `[...document.querySelectorAll("td:last-child")].map(e => e.innerText)`))
		require.Contains(t, b.text(), "Not signed in.")
		b.judge(axe, "a sign-out")
	}
}
