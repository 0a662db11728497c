package metrics_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/metrics"
)

// scrape returns the samples by their series.
func scrape(t *testing.T, m *metrics.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	all := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "sessions_") {
			at := strings.LastIndex(line, " ")
			all[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return all
}

// ask sends a request with a cookie and returns what is set.
func ask(t *testing.T, app http.Handler, path string, cookie *http.Cookie) (status int, set *http.Cookie) {
	t.Helper()
	r := httptest.NewRequest("POST", path, nil)
	r.Header.Set("Tenant", "tenant-of-mallory")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if cookies := w.Result().Cookies(); len(cookies) > 0 {
		return w.Code, cookies[0]
	}
	return w.Code, cookie
}

func TestFiguresAreTrue(t *testing.T) {
	m := metrics.New()
	app := application(t, nil, hosts.Config{Observer: m})
	_, alice := ask(t, app, "/login?user=alice", nil)
	for range 3 {
		ask(t, app, "/add", alice)
	}
	ask(t, app, "/logout", alice)
	ask(t, app, "/read", alice)
	all := scrape(t, m)
	for series, want := range map[string]string{
		"sessions_begun_total": "1", "sessions_logins_total": "1", `sessions_ended_total{reason="ended"}`: "1",
		`sessions_refused_total{reason="unknown_session"}`: "1", `sessions_refused_total{reason="none"}`: "1",
		"sessions_resumed_total": "4", "sessions_commits_total": "4",
		"sessions_commit_duration_seconds_count":                     "5",
		`sessions_store_duration_seconds_count{verb="load"}`:         "5",
		`sessions_store_duration_seconds_count{verb="save"}`:         "4",
		`sessions_store_duration_seconds_count{verb="delete"}`:       "1",
		`sessions_store_errors_total{error="not_found",verb="load"}`: "1",
		"sessions_memory_sessions":                                   "0", "sessions_store_failing": "0",
	} {
		require.Equal(t, want, all[series], "%s", series)
	}
}

// TestVisitorsMakeNoSeries: whatever they send, and however the store fails, the series
// are those from the start, and no label has anything of theirs.
func TestVisitorsMakeNoSeries(t *testing.T) {
	m := metrics.New()
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	store := &hostile{Store: memory}
	app := application(t, store, hosts.Config{Observer: m, CommitTimeout: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	before := scrape(t, m)
	require.Less(t, len(before), 500)
	names := []string{"mallory", `"} 1` + "\n" + `sessions_begun_total{x="`, "\u202e\u0000\x1b[31m", strings.Repeat("\U0001f4a9", 63)}
	for i, name := range names {
		store.err = nil
		_, cookie := ask(t, app, "/login?user="+url.QueryEscape(name), nil)
		ask(t, app, "/add", cookie)
		for _, err := range []error{errors.New(name), core.ErrConflict, hosts.ErrFull, hosts.ErrBusy, hosts.ErrClosed, context.Canceled, core.ErrTooLarge} {
			store.err = err
			ask(t, app, "/add", cookie)
			ask(t, app, "/login?user="+url.QueryEscape(name), nil)
		}
		ask(t, app, "/read", &http.Cookie{Name: core.DefaultCookieName, Value: strings.Repeat("A", i*100)})
	}
	after := scrape(t, m)
	for series := range after {
		require.Contains(t, before, series)
		require.NotContains(t, series, "mallory")
	}
	require.Len(t, after, len(before))
	label := regexp.MustCompile(`([a-z]+)="([^"]*)"`)
	for series := range after {
		for _, l := range label.FindAllStringSubmatch(series, -1) {
			require.Contains(t, []string{"reason", "verb", "error", "result", "queue", "why", "outcome", "le", "version", "go"}, l[1])
			require.Regexp(t, `^([a-z0-9_.+-]*|[+]Inf)$`, l[2], "%s", series)
		}
	}
}

type hostile struct {
	hosts.Store
	err error
}

func (h *hostile) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if h.err != nil {
		return h.err
	}
	return h.Store.Save(ctx, r, prev)
}

func TestQueuesAreShown(t *testing.T) {
	log, err := fsstore.Open(fsstore.Options{Dir: t.TempDir(), Fast: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	m := metrics.New()
	app := application(t, log, hosts.Config{Observer: m})
	_, cookie := ask(t, app, "/login?user=alice", nil)
	ask(t, app, "/add", cookie)
	all := scrape(t, m)
	require.Equal(t, "2", all[`sessions_queue_calls_total{queue="saves"}`])
	require.Equal(t, "0", all[`sessions_queue_waiting{queue="saves"}`])
}

func TestTheNamesAreGood(t *testing.T) {
	m := metrics.New()
	application(t, nil, hosts.Config{Observer: m})
	m.AddGateway(gatewayOf{"signed_in": 3, "denied": 1})
	m.AddGateway(nil) // is none, and no panic when figures are read
	problems, err := testutil.CollectAndLint(m)
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Equal(t, "3", scrape(t, m)[`sessions_gateway_requests_total{outcome="signed_in"}`])
}

type gatewayOf map[string]int64

func (g gatewayOf) Counts() (map[string]int64, int64) { return g, 1 }

func TestOneManagerEach(t *testing.T) {
	m := metrics.New()
	application(t, nil, hosts.Config{Observer: m})
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	_, err = hosts.New(memory, hosts.Config{Key: key, Observer: m})
	require.ErrorContains(t, err, "WrapRegistererWith")

	two, registry := metrics.New(), prometheus.NewPedanticRegistry()
	application(t, nil, hosts.Config{Observer: two})
	prometheus.WrapRegistererWith(prometheus.Labels{"app": "shop"}, registry).MustRegister(m)
	prometheus.WrapRegistererWith(prometheus.Labels{"app": "office"}, registry).MustRegister(two)
	found, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range found {
		if family.GetName() == "sessions_begun_total" {
			require.Len(t, family.GetMetric(), 2)
		}
	}
}

// Calls of kinds that this release does not know are none.
func TestUnknownCallsAreNoPanic(t *testing.T) {
	m := metrics.New()
	m.End(m.Begin(t.Context(), hosts.Call{Op: 200}), hosts.Call{Op: 200}, -1, errors.New("x"))
	require.Equal(t, "0", scrape(t, m)["sessions_commit_duration_seconds_count"])
}
