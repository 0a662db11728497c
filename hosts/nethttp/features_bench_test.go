//go:build unix

package nethttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// A feature is used by the requests of one server, and not by those of another.
type feature struct {
	name   string
	config hosts.Config
	wrap   func(*nethttp.Middleware, http.Handler) http.Handler
}

func stamped(context.Context, string, string) (string, error) { return "a stamp", nil }

var features = []feature{
	{name: "nothing"}, // the noise of this comparison
	{name: "credentials", config: hosts.Config{Credentials: stamped}},
	{name: "credentials-cached", config: hosts.Config{Credentials: stamped, CredentialsCache: time.Minute}},
	{name: "limit", config: hosts.Config{MaxPerUser: 5}},
	{name: "fresh", wrap: func(m *nethttp.Middleware, next http.Handler) http.Handler { return m.RequireFresh(time.Hour, next) }},
	{name: "methods", wrap: func(m *nethttp.Middleware, next http.Handler) http.Handler { return m.RequireMethods(next, "pwd") }},
	{name: "quiet", wrap: (*nethttp.Middleware).Quiet},
}

// application has the feature on its routes read and add.
func (f feature) application(tb testing.TB) http.Handler {
	tb.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(tb, err)
	c := f.config
	c.Key, c.AllowInsecure = core.NewSecret("\xb1\x55features, measured, no secret.."[:32]), true
	m, err := hosts.New(store, c)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.Close()) })
	app, err := nethttp.New(m, nethttp.Options{})
	require.NoError(tb, err)
	mux := http.NewServeMux()
	for path, do := range map[string]nethttp.HandlerFunc{
		"/login": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			l := hosts.Login{Methods: []string{"pwd"}}
			if c.Credentials != nil {
				l.Stamp = core.NewSecret("a stamp")
			}
			if _, err := s.Add("n", 1); err != nil {
				return err
			}
			return s.LoginWith("alice", l)
		},
		"/read": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			_, err := s.Get("n")
			return err
		},
		"/add": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			_, err := s.Add("n", 1)
			return err
		},
	} {
		h := app.HandlerFunc(do)
		if f.wrap != nil && path != "/login" {
			h = f.wrap(app, h)
		}
		mux.Handle(path, h)
	}
	return mux
}

func (f feature) visitor(b *testing.B) *ratio.Visitor {
	b.Helper()
	v := ratio.NewVisitor(b, f.application(b))
	v.Post("/login")
	return v
}

// How much CPU a request takes with each feature, of the same without: the median of 20
// rounds. The store is in memory, against which they weigh most.
func BenchmarkRatioFeatures(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, turns, requests = 20, 20, 25
	plain := feature{}.visitor(b)
	for _, f := range features {
		with := f.visitor(b)
		for _, path := range []string{"/read", "/add"} {
			ratio.Print("feature-"+f.name+"-cpu-"+path[1:], ratio.CPU(rounds, turns, plain.Posts(path, requests), with.Posts(path, requests)), 1.05, false)
		}
	}
}

// TestAFeatureAllocatesAtMostOnce in a request that reads.
func TestAFeatureAllocatesAtMostOnce(t *testing.T) {
	allocations := func(f feature) float64 {
		h := f.application(t)
		login := httptest.NewRecorder()
		h.ServeHTTP(login, httptest.NewRequest(http.MethodPost, "/login", nil))
		r := httptest.NewRequest(http.MethodGet, "/read", nil)
		for _, c := range login.Result().Cookies() {
			r.AddCookie(c)
		}
		w := &discard{header: http.Header{}}
		return fewestAllocations(func() {
			clear(w.header)
			h.ServeHTTP(w, r)
			require.Zero(t, w.status)
		})
	}
	plain := allocations(feature{})
	for _, f := range features {
		n := allocations(f)
		t.Logf("%s: %.0f allocations, %.0f without", f.name, n, plain)
		require.LessOrEqual(t, n, plain+1, f.name)
	}
}

// fewestAllocations are those of one call in which nobody else allocates and no pool is
// empty: under the race detector a sync.Pool forgets at random.
func fewestAllocations(f func()) float64 {
	least := testing.AllocsPerRun(1, f)
	for range 200 {
		least = min(least, testing.AllocsPerRun(1, f))
	}
	return least
}

// discard keeps nothing of a response but its status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int) {
	if status != http.StatusOK {
		d.status = status
	}
}
