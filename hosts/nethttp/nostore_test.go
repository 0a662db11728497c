package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// TestNoCDNKeepsACookie: RFC 9213's fields count before Cache-Control.
func TestNoCDNKeepsACookie(t *testing.T) {
	names := []string{"CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Vercel-CDN-Cache-Control", "X-LiteSpeed-Cache-Control", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"}
	public := func(w http.ResponseWriter) {
		for i, name := range names {
			if i%2 == 0 {
				w.Header().Set(name, "max-age=3600")
			} else {
				w.Header()[name] = []string{"max-age=3600"} // not canonical
			}
		}
	}
	count := func(h http.Header) (n int) {
		for name := range h {
			if slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, name) }) {
				n++
			}
		}
		return n
	}
	s := open(t, setup{})
	b := s.browser()
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error { public(w); return v.Login("alice", 0) })
	require.Len(t, a.ours(), 1)
	require.Zero(t, count(a.header))
	a = b.visit(func(_ *nethttp.Session, w http.ResponseWriter) error { public(w); return nil })
	require.Empty(t, a.ours())
	require.Equal(t, len(names), count(a.header), "an answer without our cookie is the handler's")
	a = b.visit(func(v *nethttp.Session, w http.ResponseWriter) error { defer public(w); return v.Destroy() })
	require.Len(t, a.ours(), 1)
	require.Zero(t, count(a.header))

	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"the manager's verbs": func(w http.ResponseWriter, r *http.Request) {
			_, err := s.manager.Login(s.mw.Request(w, r), "alice", 0)
			require.NoError(t, err)
		},
		"Unauthorized": func(w http.ResponseWriter, r *http.Request) { nethttp.Unauthorized(w, r, core.ErrNoCookie) },
		"Failed": func(w http.ResponseWriter, r *http.Request) {
			s.faults(commitFaults["down"])
			defer s.mend()
			s.mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				v, err := nethttp.From(r)
				require.NoError(t, err)
				require.NoError(t, v.Login("alice", 0))
			})).ServeHTTP(w, r)
			require.Empty(t, w.Header()["Set-Cookie"])
		},
	} {
		w := httptest.NewRecorder()
		public(w)
		answer(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, []string{"no-store"}, w.Header()["Cache-Control"], name)
		require.Zero(t, count(w.Header()), name)
	}
}
