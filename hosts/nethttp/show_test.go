package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

type clock core.Time

func (c *clock) Now() core.Time { return core.Time(*c) }

func TestAVisitShowsItsSession(t *testing.T) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	start := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	now := clock(start.UnixMilli())
	m, err := hosts.New(store, hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32]),
		AllowInsecure: true, IdleTimeout: time.Hour, Clock: &now})
	require.NoError(t, err)
	defer m.Close()
	h, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)

	visit := func(cookie string, do func(*nethttp.Session)) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "192.0.2.7:1234"
		r.Header.Set("User-Agent", "first")
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
			r.RemoteAddr = "192.0.2.8:1234"
			r.Header.Set("User-Agent", "second")
		}
		w := httptest.NewRecorder()
		h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			require.NoError(t, err)
			do(v)
		})).ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		for _, c := range w.Result().Cookies() {
			return c.Name + "=" + c.Value
		}
		return cookie
	}
	cookie := visit("", func(v *nethttp.Session) {
		for _, at := range []time.Time{v.CreatedAt(), v.LoginAt(), v.LastSeenAt(), v.ExpiresAt(), v.IdleExpiresAt()} {
			require.True(t, at.IsZero())
		}
		require.False(t, v.IPAddress().IsValid())
		require.Zero(t, v.Size())
		require.NoError(t, v.Put("n", 1))
		require.NoError(t, v.Login("alice", 0))
	})
	now += clock(10 * core.Minute)
	for range 2 { // the first visit notes its use, the second shows it
		visit(cookie, func(v *nethttp.Session) {
			require.True(t, v.CreatedAt().Equal(start))
			require.True(t, v.LoginAt().Equal(start))
			require.True(t, v.ExpiresAt().Equal(start.Add(24*time.Hour)))
			require.Equal(t, netip.MustParseAddr("192.0.2.7"), v.IPAddress())
			require.Equal(t, "first", v.UserAgent())
			require.Equal(t, 4, v.Size())
		})
	}
	visit(cookie, func(v *nethttp.Session) {
		require.True(t, v.LastSeenAt().Equal(start.Add(10*time.Minute)))
		require.True(t, v.IdleExpiresAt().Equal(start.Add(70*time.Minute)))
	})
}
