package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// The picture of the dashboard's queries: which panels, and how long visitors come before.
var panels = []string{"Calls", "Time of 99 of 100 calls"}

const (
	dashboard = "../../deploy/prometheus/dashboard.json"
	visits    = 50 * time.Second
	between   = 100 * time.Millisecond
)

// figures is a picture of Prometheus' own page, with the first query of some panels of the
// dashboard. It scrapes the demo, which visitors use meanwhile.
func figures(ctx context.Context, scratch string) ([]byte, error) {
	target, err := freeAddress()
	if err != nil {
		return nil, err
	}
	site, stop, err := serve(ctx, scratch, "cmd/sessionctl", "demo", "--addr", "127.0.0.1:0", "--metrics", target)
	if err != nil {
		return nil, err
	}
	defer stop()
	page, stopPrometheus, err := prometheus(ctx, scratch, target)
	if err != nil {
		return nil, err
	}
	defer stopPrometheus()
	for end := time.Now().Add(visits); time.Now().Before(end); {
		if err := visit(ctx, site); err != nil {
			return nil, err
		}
	}
	if page, err = withQueries(page); err != nil {
		return nil, err
	}
	s := shot{name: "prometheus", width: 1280, height: 1580, scheme: "light"}
	drawn := fmt.Sprintf(`[...document.querySelectorAll(".rickshaw_graph svg")].length === %d`, len(panels))
	return s.take(ctx, []chromedp.Action[chromedp.Void]{chromedp.Navigate(page), chromedp.Poll[chromedp.Void](drawn),
		chromedp.Evaluate[chromedp.Void]("document.activeElement.blur(); scrollTo(0, 0)")})
}

// prometheus scrapes a target every second, and returns the address of its page of graphs.
func prometheus(ctx context.Context, dir, target string) (page string, stop func(), err error) {
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: demo\n  static_configs: [{targets: [%q]}]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return "", nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "prometheus"), "--web.listen-address="+address, "--log.level=error")
	if err := cmd.Start(); err != nil {
		cancel()
		return "", nil, err
	}
	stop = func() { cancel(); _ = cmd.Wait() } // it is killed
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(between) {
		if a, err := client.Get("http://" + address + "/"); err == nil {
			_ = a.Body.Close()
			if to, err := a.Location(); err == nil {
				return to.String(), stop, nil
			}
		}
	}
	stop()
	return "", nil, errors.New("prometheus does not answer")
}

// withQueries adds a graph for each panel to the address of the page.
func withQueries(page string) (string, error) {
	text, err := os.ReadFile(dashboard)
	if err != nil {
		return "", err
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		return "", err
	}
	q := url.Values{}
	for n, title := range panels {
		for _, p := range board.Panels {
			if p.Title == title {
				q.Set(fmt.Sprintf("g%d.expr", n), strings.NewReplacer("$job", ".+", "$__rate_interval", "15s").Replace(p.Targets[0].Expr))
				q.Set(fmt.Sprintf("g%d.tab", n), "0")
				q.Set(fmt.Sprintf("g%d.range_input", n), "1m")
			}
		}
	}
	return page + "?" + q.Encode(), nil
}

// visit is a visitor who adds to the cart, signs in, writes a note and signs out.
func visit(ctx context.Context, site string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	c := http.Client{Jar: jar}
	post := func(path string, form url.Values) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, site+path, strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a, err := c.Do(r)
		if err != nil {
			return err
		}
		return a.Body.Close()
	}
	<-time.After(between)
	return errors.Join(
		post("/cart", url.Values{"sku": {"tea"}, "do": {"add"}}),
		post("/signin", url.Values{"user": {"alice"}, "password": {"wonderland"}}),
		post("/notes", url.Values{"text": {"Order more"}}),
		post("/signout", nil))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
