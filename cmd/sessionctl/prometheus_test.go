package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const forPrometheus = "../../deploy/prometheus"

// program finds a program of Debian's package prometheus.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no %s: install it (Debian: apt-get install prometheus)", name)
	}
	if err != nil {
		t.Skipf("SKIPPED, LOUDLY: no %s here; install it (Debian: apt-get install prometheus) to test the alerts and the dashboard", name)
	}
	return path
}

func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "promtool"), args...)
	cmd.Stdin, cmd.Dir = strings.NewReader(stdin), forPrometheus
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
}

func TestAlertsComeWhereTheyShould(t *testing.T) {
	promtool(t, "", "check", "rules", "--lint-fatal", "alerts.yml")
	promtool(t, "", "test", "rules", "alerts_test.yml")
	about, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	rules := read(t, "alerts.yml")
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1) {
		require.Contains(t, string(about), "### "+alert[1]+"\n")
		require.Contains(t, rules, "docs/operations.md#"+strings.ToLower(alert[1])+"\n")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(forPrometheus, name))
	require.NoError(t, err)
	return string(text)
}

// metered runs a server that has figures, and returns its URL and theirs.
func metered(t *testing.T, dir string, args ...string) (site, figures string) {
	t.Helper()
	cmd := call{args: args, dir: dir, env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.command(t)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(errs)
	for figures == "" && lines.Scan() {
		if _, found, ok := strings.Cut(lines.Text(), "metrics on "); ok {
			figures = strings.TrimSuffix(strings.TrimSuffix(found, "metrics"), "/") + "/metrics"
		}
	}
	require.NotEmpty(t, figures)
	go func() { _, _ = io.Copy(io.Discard, errs) }()
	site, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(strings.TrimSpace(site), "/"), figures
}

// shop is a visitor of the demo who comes and goes.
func shop(t *testing.T, site string) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar}
	get(t, client, "GET", site+"/api/session", "")
	get(t, client, "POST", site+"/api/login", `{"user":"alice","password":"wonderland"}`)
	get(t, client, "PUT", site+"/api/data/note", `"hello"`)
	get(t, client, "GET", site+"/api/session", "")
	get(t, client, "POST", site+"/api/logout", "")
}

// TestADashboardOfRealFigures: a Prometheus that scrapes the demo and the gateway
// answers every query of the dashboard, and takes the alerts.
func TestADashboardOfRealFigures(t *testing.T) {
	server := program(t, "prometheus")
	dir := t.TempDir()
	cached, one := metered(t, dir, "demo", "--addr", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--store", "sqlite:s.db?cache=8MiB")
	memory, two := metered(t, dir, "demo", "--addr", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--store", "memory:")
	gate, three := metered(t, dir, "gateway", "--addr", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--store", "sqlite:s.db", "--origin", cached, "--public", "/api/")
	visit := func() {
		shop(t, cached)
		shop(t, memory)
		shop(t, gate)
	}
	visit()
	config := fmt.Sprintf("global: {scrape_interval: 500ms, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs:\n", absolute(t, "alerts.yml"))
	for i, figures := range []string{one, two, three} {
		at, err := url.Parse(figures)
		require.NoError(t, err)
		config += fmt.Sprintf("- {job_name: job%d, static_configs: [{targets: [%q]}]}\n", i, at.Host)
		_, text := get(t, http.DefaultClient, "GET", figures, "")
		promtool(t, text, "check", "metrics")
		require.Equal(t, i == 2, strings.Contains(text, `sessions_gateway_requests_total{outcome="public"}`))
		code, _ := get(t, http.DefaultClient, "GET", []string{cached, memory, gate}[i]+"/metrics", "")
		require.NotEqual(t, http.StatusOK, code, "the figures are not where visitors are")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	p := prometheus(t, server, dir)
	waits := queries(t)
	require.Greater(t, len(waits), 30)
	for until := time.Now().Add(runTime); len(waits) > 0; {
		visit()
		for expr := range waits {
			if p.answers(t, expr) {
				delete(waits, expr)
			}
		}
		require.True(t, time.Now().Before(until), "queries of the dashboard without an answer: %q", waits)
	}
	require.Contains(t, p.ask(t, "/api/v1/rules", nil), "SessionStoreFails")
	require.Contains(t, p.ask(t, "/api/v1/query", url.Values{"query": {`up{job="job2"}`}}), `"1"`)
}

func absolute(t *testing.T, name string) string {
	path, err := filepath.Abs(filepath.Join(forPrometheus, name))
	require.NoError(t, err)
	return path
}

// queries are those of the dashboard, as Grafana would send them.
func queries(t *testing.T) map[string]string {
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "dashboard.json")), &board))
	list := map[string]string{}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			list[strings.NewReplacer("$job", ".*", "$__rate_interval", "15s").Replace(target.Expr)] = panel.Title
		}
	}
	return list
}

// A prom is a Prometheus that runs.
type prom struct{ url string }

func prometheus(t *testing.T, path, dir string) prom {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0", "--log.format=logfmt")
	cmd.Dir = dir
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(errs, &said))
	for lines.Scan() {
		if at := regexp.MustCompile(`msg="Listening on" address=(\S+)`).FindStringSubmatch(lines.Text()); at != nil {
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			go func() { _, _ = io.Copy(io.Discard, errs) }()
			return prom{"http://" + at[1]}
		}
	}
	t.Fatalf("Prometheus does not begin: %s", said.String())
	return prom{}
}

func (p prom) ask(t *testing.T, path string, q url.Values) string {
	t.Helper()
	_, text := get(t, http.DefaultClient, "GET", p.url+path+"?"+q.Encode(), "")
	return text
}

// answers reports whether a query has a number for an answer.
func (p prom) answers(t *testing.T, expr string) bool {
	t.Helper()
	var a struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	text := p.ask(t, "/api/v1/query", url.Values{"query": {expr}})
	if json.Unmarshal([]byte(text), &a) != nil { // it still begins
		return false
	}
	require.Equal(t, "success", a.Status, "%s: %s", expr, text)
	for _, r := range a.Data.Result {
		if r.Value[1] != "NaN" {
			return true
		}
	}
	return false
}
