package browser

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// prove presses a button of the page "Prove it" by the keyboard and returns what
// it shows.
func (b *browser) prove(name string) string {
	b.t.Helper()
	b.do(chromedp.Focus(`[data-run="`+name+`"]`), chromedp.KeyEvent("\r"))
	b.waitFor(`document.querySelector("#` + name + `-result > :nth-child(2), #` + name + `-result .trouble") !== null`)
	return evaluate[string](b, `document.querySelector("#`+name+`-result").innerText`)
}

func TestProveIt(t *testing.T) {
	site := demo(t)
	for _, user := range []string{"", "bob"} {
		t.Run("as "+user, func(t *testing.T) {
			b := visitor(t)
			if user != "" {
				b.signInAs(site, user, "builder", false)
			}
			b.open(site + "/prove")
			text := b.prove("adds")
			require.Contains(t, text, "50 of 50")
			require.Equal(t, 1, strings.Count(text, "50 of 50"), "the other store loses some:\n%s", text)
			require.Contains(t, text, "answered with success")

			text = b.prove("once")
			require.Contains(t, text, "Flash message was taken by 1 of 10")
			require.Contains(t, text, "One-time link was taken by 1 of 10")
			b.waitFor(`document.querySelector("#feed").innerText.includes("session resumed")`)

			text = b.prove("logout")
			require.Contains(t, text, "session read")
			require.Contains(t, text, "refused: 401")
			require.Contains(t, text, "The session has ended in the meantime. Nothing of this request was stored.")
			b.waitFor(`document.querySelector("#feed").innerText.includes("session ended")`)
			require.NotContains(t, b.text(), "must not happen")
			again := map[string]string{"": "Sign in", "bob": "Sign in again"}[user]
			require.Equal(t, again, evaluate[string](b, `document.querySelector("#again").innerText`))
			b.load(chromedp.Click("#again"))
			b.do(chromedp.SendKeys("input[name=user]", "bob"), chromedp.SendKeys("input[name=password]", "builder"))
			_, text = b.load(chromedp.Submit("input[name=password]"))
			require.Contains(t, text, "You are signed in.")
			require.Contains(t, text, "as bob", "on this page")
		})
	}
}

// TestProveInTwoTabs of one browser at once: each counts its own.
func TestProveInTwoTabs(t *testing.T) {
	site := demo(t)
	one := visitor(t)
	one.signIn(site, false)
	tabs := []*browser{one, one.tab()}
	for _, b := range tabs {
		b.open(site + "/prove")
	}
	for name, want := range map[string]string{"adds": "This library\n50 of 50", "once": "One-time link was taken by 1 of 10"} {
		for _, b := range tabs {
			b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-run="` + name + `"]').click()`))
		}
		for _, b := range tabs {
			b.waitFor(`document.querySelector("#` + name + `-result > :nth-child(2), #` + name + `-result .trouble") !== null`)
			text := evaluate[string](b, `document.querySelector("#`+name+`-result").innerText`)
			require.Contains(t, text, want)
			require.NotContains(t, text, "lost -")
			require.NotContains(t, text, "nobody")
		}
	}
}

// A visitor kills the server and starts it again: the page sees both.
func TestProveRestart(t *testing.T) {
	dir, bin := t.TempDir(), command(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for an address to come back to
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	start := func() *exec.Cmd {
		cmd := exec.Command(bin, "demo", "--addr", addr)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		_, err = bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		return cmd
	}
	server := start()
	b := visitor(t)
	b.signIn("http://"+addr, false)
	b.open("http://" + addr + "/prove")
	b.waitFor(`document.querySelector("#feed-state").innerText === "Live."`)
	since := evaluate[string](b, `document.querySelector("#login").innerText`)
	require.Contains(t, since, "as alice")
	command := func() string { return evaluate[string](b, `document.querySelector(".howto code").innerText`) }
	require.Equal(t, fmt.Sprint("kill -9 ", server.Process.Pid), command())
	require.NoError(t, server.Process.Kill())
	_ = server.Wait()
	b.waitFor(`document.querySelector("#kill-result").innerText.includes("does not answer")`)
	b.do(chromedp.Click(`[data-run="adds"]`))
	b.waitFor(`document.querySelector("#adds-result").innerText === "The server does not answer. Start it again, then press the button."`)
	server = start()
	b.waitFor(`document.querySelector("#kill-result").innerText.includes("You are still signed in since")`)
	require.Empty(t, evaluate[string](b, `document.querySelector("#adds-result").innerText`))
	require.Equal(t, fmt.Sprint("kill -9 ", server.Process.Pid), command(), "the one that runs now")
	require.Equal(t, since, evaluate[string](b, `document.querySelector("#login").innerText`))
}

// Without scripts the page says so, and the buttons are disabled.
func TestProveWithoutScripts(t *testing.T) {
	b := visitor(t)
	b.noScripts()
	text := b.open(demo(t) + "/prove")
	require.Contains(t, text, "scripts are off in this browser")
	require.Contains(t, text, "kill -9")
	require.Contains(t, text, "Server started")
}
