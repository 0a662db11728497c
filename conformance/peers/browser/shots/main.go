// Command shots makes the screenshots of the documents: shots FOLDER. It runs the
// demo, three servers with caches, a Prometheus and a Chromium by itself.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience bounds one picture.
const patience = 30 * time.Second

// A shot is one picture: of a page of the demo, after buttons of "Prove it" were pressed
// in turn, or of the cluster's page.
type shot struct {
	name, path    string
	width, height int64
	scheme        string
	press         []string
}

// cluster is the path of a shot of the cluster's page.
const cluster = "cluster"

var shots = []shot{
	{"prove", "/prove", 1280, 960, "light", []string{"once", "adds", "logout"}},
	{"prove-dark", "/prove", 1280, 960, "dark", []string{"once", "adds", "logout"}},
	{"prove-390", "/prove", 390, 844, "dark", []string{"adds"}},
	{"cart-390", "/cart", 390, 844, "light", nil},
	{"session", "/session", 1280, 860, "light", nil},
	{"cluster", cluster, 1280, 1000, "light", nil},
	{"cluster-dark", cluster, 1280, 1000, "dark", nil},
	{"devices", "/devices", 1280, 920, "light", nil},
	{"devices-dark", "/devices", 1280, 920, "dark", nil},
	{"devices-390", "/devices", 390, 844, "light", nil},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: shots FOLDER")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "shots:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string) (err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "shots")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	site, stop, err := serve(ctx, scratch, "cmd/sessionctl", "demo", "--addr", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer stop()
	servers, stopThem, err := serve(ctx, scratch, "examples/cluster")
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	defer stopThem()
	for _, s := range shots {
		steps := s.demo(site)
		if s.path == cluster {
			steps = []chromedp.Action[chromedp.Void]{chromedp.Navigate(servers), chromedp.Evaluate[chromedp.Void](signOut, chromedp.EvalAwaitPromise)}
		}
		picture, err := s.take(ctx, steps)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, s.name+".png"), picture, 0o644); err != nil {
			return err
		}
	}
	picture, err := figures(ctx, scratch)
	if err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, "prometheus.png"), picture, 0o644)
}

// serve runs a program of this repository, whose default store is of a folder, and
// returns the address that it prints.
func serve(ctx context.Context, dir, program string, args ...string) (site string, stop func(), err error) {
	bin := filepath.Join(dir, filepath.Base(program))
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "github.com/rockstar-web/sessions/"+program)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "STORE=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it has ended by itself
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, err
	}
	return strings.TrimRight(strings.TrimSpace(line), "/"), stop, nil
}

// prepare is what the visitor has done before. It runs on the page that may send requests.
const prepare = `(async () => {
	const form = (path, fields) => fetch(path, { method: "POST", body: new URLSearchParams(fields) });
	for (const sku of ["tea", "tea", "lamp"]) await form("/cart", { sku, do: "add" });
	await form("/signin", { user: "alice", password: "wonderland", remember: "1" });
	await form("/notes", { text: "Order more #tea" });
})()`

// alone signs alice out on the devices of the shots before.
const alone = `fetch("/devices", { method: "POST", body: new URLSearchParams({ others: 1 }) })`

// signInElsewhere signs alice in on two devices more.
func signInElsewhere(ctx context.Context, site string) error {
	for _, userAgent := range []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
	} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, site+"/api/login", strings.NewReader(`{"user":"alice","password":"wonderland"}`))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", userAgent)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		if err := a.Body.Close(); err != nil {
			return err
		}
		if a.StatusCode != http.StatusOK {
			return fmt.Errorf("alice cannot sign in: %s", a.Status)
		}
	}
	return nil
}

// signOut is a visit to the cluster's page: the reads come when those of the visitor's own
// change no longer ask the store.
const signOut = `(async () => {
	const press = async (id, until) => {
		document.getElementById(id).click();
		while (!document.getElementById("result").innerText.includes(until)) await new Promise((go) => setTimeout(go, 50));
	};
	await press("login", "has signed alice in");
	do {
		await press("add", "has added");
		await new Promise((go) => setTimeout(go, 2500));
		await press("read", "100 reads in");
	} while (!/[89]\d from the cache/.test(document.getElementById("result").innerText));
	await press("logout", "was acknowledged");
	await new Promise((go) => setTimeout(go, 500)); // until the counts are those of afterwards
})()`

// demo are the steps that lead to a shot of the demo.
func (s shot) demo(site string) []chromedp.Action[chromedp.Void] {
	steps := []chromedp.Action[chromedp.Void]{
		chromedp.Navigate(site + "/prove"),
		chromedp.Evaluate[chromedp.Void](prepare, chromedp.EvalAwaitPromise),
	}
	if s.path == "/devices" {
		steps = append(steps, chromedp.Evaluate[chromedp.Void](alone, chromedp.EvalAwaitPromise),
			chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return signInElsewhere(ctx, site) }))
	}
	steps = append(steps, chromedp.Navigate(site+s.path))
	for _, name := range s.press {
		steps = append(steps,
			chromedp.Click(`[data-run="`+name+`"]`),
			chromedp.WaitVisible("#"+name+"-result > :not(:only-child)"))
	}
	if len(s.press) > 0 {
		steps = append(steps, chromedp.Evaluate[chromedp.Void]("document.activeElement.blur(); scrollTo(0, 0)"))
	}
	return steps
}

// take runs a browser of its own.
func (s shot) take(ctx context.Context, steps []chromedp.Action[chromedp.Void]) ([]byte, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, enough := context.WithTimeout(ctx, patience)
	defer enough()
	ctx, cancel := chromedp.NewContext(ctx)
	defer cancel()
	scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}}
	look := []chromedp.Action[chromedp.Void]{
		chromedp.EmulateViewport(s.width, s.height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, scheme)
			return err
		}),
	}
	if err := chromedp.Do(ctx, append(look, steps...)...); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
