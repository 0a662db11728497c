package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// A chipsJar keeps a partitioned cookie and one that is not side by side, as
// browsers do. A stubborn one forgets none that is expired.
type chipsJar struct {
	kinds    map[bool]string // partitioned or not
	stubborn bool
}

func (j *chipsJar) ask(t *testing.T, h http.Handler, path string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", "https://example.com"+path, nil)
	for _, partitioned := range []bool{path == "/turned", path != "/turned"} {
		if c := j.kinds[partitioned]; c != "" {
			r.Header.Add("Cookie", c)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, f := range w.Header()["Set-Cookie"] {
		value, attributes, _ := strings.Cut(f, ";")
		kind := strings.HasSuffix(attributes, "; Partitioned")
		switch {
		case !strings.Contains(attributes, "Max-Age=0"):
			j.kinds[kind] = value
		case !j.stubborn:
			delete(j.kinds, kind)
		}
	}
	return w.Result()
}

// TestSwitchingPartitioned: the other kind is expired; and a browser that sends
// both, of one session and of different generations, is no thief.
func TestSwitchingPartitioned(t *testing.T) {
	for _, on := range []bool{true, false} {
		for _, stubborn := range []bool{true, false} {
			store, err := cachestore.Open(cachestore.Options{})
			require.NoError(t, err)
			clock := new(stillClock)
			clock.ms.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
			handler := func(partitioned bool) http.Handler {
				m, err := hosts.New(store, hosts.Config{Key: siteKey, Clock: clock, NoCleanup: true,
					RenewAfter: 5 * time.Minute, SameSite: core.SameSiteNone, Partitioned: partitioned})
				require.NoError(t, err)
				t.Cleanup(func() { m.Close() })
				h, err := nethttp.New(m, nethttp.Options{})
				require.NoError(t, err)
				return h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					v, err := nethttp.From(r)
					require.NoError(t, err)
					switch r.URL.Path {
					case "/login":
						require.NoError(t, v.Login("alice", 0))
					case "/logout":
						require.NoError(t, v.Destroy())
					default:
						require.NoError(t, v.Refusal())
						require.Equal(t, "alice", v.User())
					}
				}))
			}
			before, after := handler(!on), handler(on)
			j := &chipsJar{map[bool]string{}, stubborn}
			j.ask(t, before, "/login")
			require.Len(t, j.kinds, 1)
			first := j.kinds[!on]
			require.NotEmpty(t, first)
			for n := range 10 {
				clock.pass(6 * time.Minute)
				j.ask(t, after, [...]string{"/", "/turned"}[n%2])
				require.NotEmpty(t, j.kinds[on], "it is given the new kind")
				require.Equal(t, stubborn, j.kinds[!on] != "", "the old kind is expired")
			}
			j.stubborn = false
			j.ask(t, after, "/logout")
			require.Empty(t, j.kinds, "on %v", on)
			clock.pass(time.Minute)
			require.NoError(t, store.Close())
		}
	}
}
