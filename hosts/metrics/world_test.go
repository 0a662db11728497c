package metrics_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// key is of no other use.
var key = core.NewSecret("\x91\x0e\xc7metrics' tests, not a secret."[:32])

// application is a small one, over memory if store is nil.
func application(t testing.TB, store hosts.Store, c hosts.Config) http.Handler {
	t.Helper()
	if store == nil {
		memory, err := cachestore.Open(cachestore.Options{})
		require.NoError(t, err)
		store = memory
	}
	c.Key, c.AllowInsecure = key, true
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	app, err := nethttp.New(m, nethttp.Options{Tenant: func(r *http.Request) string { return r.Header.Get("Tenant") }})
	require.NoError(t, err)
	mux := http.NewServeMux()
	for path, do := range map[string]func(*http.Request, *nethttp.Session) error{
		"/login":  func(r *http.Request, s *nethttp.Session) error { return s.Login(r.FormValue("user"), 0) },
		"/logout": func(_ *http.Request, s *nethttp.Session) error { return s.Destroy() },
		"/add":    func(_ *http.Request, s *nethttp.Session) error { _, err := s.Add("n", 1); return err },
		"/read":   func(_ *http.Request, s *nethttp.Session) error { _, err := s.Get("n"); return err },
	} {
		mux.Handle(path, app.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error { return do(r, s) }))
	}
	return mux
}
