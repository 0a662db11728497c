package fresh

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
)

// host is a server with a cache, in this process.
type host struct {
	t       *testing.T
	cache   *cachestore.Cached
	handler http.Handler

	watched chan string // users whose end is waited for from now on
	mu      sync.Mutex
	heard   map[hosts.EventKind]int
	ended   map[string]chan struct{} // by user; closed when they were reported
}

func openManager(t *testing.T, name string, wrap func(hosts.Store) hosts.Store, c hosts.Config) *hosts.Manager {
	store, closer, err := stores.Open(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
	c.Key, c.AllowInsecure, c.NoCleanup = core.NewSecret("\x23\xb9an outage with a cache, no secret"[:32]), true, true
	c.Logger = slog.New(slog.DiscardHandler)
	m, err := hosts.New(wrap(store), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func newHost(t *testing.T, name string) *host {
	h := &host{t: t, watched: make(chan string), heard: map[hosts.EventKind]int{}, ended: map[string]chan struct{}{"alice": make(chan struct{}), "bob": make(chan struct{})}}
	m := openManager(t, name, func(store hosts.Store) hosts.Store {
		var err error
		h.cache, err = cachestore.NewCached(store, cachestore.CachedOptions{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, h.cache.Close()) })
		return h.cache
	}, hosts.Config{OnEvent: func(e hosts.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.heard[e.Kind]++
	}})
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("POST /login", mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		return s.Login(r.FormValue("user"), 0)
	}))
	mux.Handle("GET /who", mw.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
		_, err := fmt.Fprint(w, s.User())
		return err
	}))
	mux.Handle("GET /watch", mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		ended, err := s.Ended()
		if err != nil {
			return err
		}
		h.watched <- s.User()
		select {
		case <-ended:
			close(h.ended[s.User()])
		case <-r.Context().Done():
		}
		return nil
	}))
	h.handler = mux
	return h
}

// ask has a second for its answer.
func (h *host) ask(method, path, cookie string) (status int, body, set string) {
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
	defer cancel()
	w := h.serve(ctx, method, path, cookie)
	for _, c := range w.Result().Cookies() {
		if c.Name == core.DefaultCookieName {
			set = c.Name + "=" + c.Value
		}
	}
	return w.Code, w.Body.String(), set
}

func (h *host) serve(ctx context.Context, method, path, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, "http://x"+path, nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func (h *host) count(kind hosts.EventKind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heard[kind]
}

// read returns whose page a cookie shows, and whether there was an answer at all.
func (h *host) read(cookie string) (user string, ok bool) {
	status, body, _ := h.ask("GET", "/who", cookie)
	if status == http.StatusServiceUnavailable {
		return "", false
	}
	require.Equal(h.t, http.StatusOK, status, body)
	return body, true
}

func (h *host) cached(cookie string) bool {
	before := h.cache.Stats().Hits
	_, ok := h.read(cookie)
	return ok && h.cache.Stats().Hits > before
}

// TestAnOutageWithACache: the server is gone or silent, for one host of two. It answers
// from its cache for a lease and then 503; nobody is signed out by it. A session that the
// other host ends meanwhile is not shown once that was acknowledged. The feed is reported
// lost and back, and what it missed is known.
func TestAnOutageWithACache(t *testing.T) {
	for _, b := range backends {
		if !b.remote {
			continue
		}
		for name, begin := range map[string]func(*conformance.Proxy){"gone": (*conformance.Proxy).Down, "silent": (*conformance.Proxy).Stall} {
			t.Run(b.name+" "+name, func(t *testing.T) {
				u, err := url.Parse(b.open(t))
				require.NoError(t, err)
				elsewhere := openManager(t, u.String(), func(s hosts.Store) hosts.Store { return s }, hosts.Config{})
				way, err := conformance.NewProxy(u.Host)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, way.Close()) })
				u.Host = way.Addr()
				outage(t, newHost(t, u.String()), elsewhere, func() { begin(way) }, way.Resume)
			})
		}
	}
}

func outage(t *testing.T, h *host, elsewhere *hosts.Manager, begin, end func()) {
	cookies := map[string]string{}
	var watching sync.WaitGroup
	t.Cleanup(watching.Wait) // the test's context has ended
	for user := range h.ended {
		_, _, cookies[user] = h.ask("POST", "/login?user="+user, "")
		require.NotEmpty(t, cookies[user])
		watching.Go(func() { h.serve(t.Context(), "GET", "/watch", cookies[user]) })
		require.Equal(t, user, <-h.watched)
		servers.Eventually(t, "it is cached", func() bool { return h.cached(cookies[user]) })
	}
	begin()
	n, err := elsewhere.Revoke(t.Context(), hosts.Query{User: "bob"})
	require.NoError(t, err)
	require.Positive(t, n)
	refused := 0
	servers.Eventually(t, "the feed is lost", func() bool {
		if user, ok := h.read(cookies["alice"]); !ok {
			refused++
		} else {
			require.Equal(t, "alice", user)
		}
		user, ok := h.read(cookies["bob"])
		require.False(t, ok, "the page of %q, and nobody could be asked", user)
		return refused > 0 && h.count(hosts.EventFeedLost) > 0
	})
	require.Zero(t, h.count(hosts.EventFeedBack))
	end()
	servers.Eventually(t, "the feed is back", func() bool {
		user, ok := h.read(cookies["alice"])
		require.True(t, !ok || user == "alice", "%q", user)
		return h.cached(cookies["alice"]) && h.count(hosts.EventFeedBack) > 0
	})
	user, ok := h.read(cookies["bob"])
	require.True(t, ok)
	require.Empty(t, user)
	select {
	case <-h.ended["bob"]:
	case <-time.After(patience):
		t.Fatal("the end was missed")
	}
	select {
	case <-h.ended["alice"]:
		t.Fatal("alice's session has not ended")
	default:
	}
}
