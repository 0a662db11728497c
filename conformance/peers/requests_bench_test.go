package peers

import (
	"context"
	"encoding/gob"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// counted counts what a request costs the store.
type counted struct {
	hosts.Store
	loads, saves atomic.Int64
}

func (c *counted) Load(ctx context.Context, id core.ID) (core.Record, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, id)
}

func (c *counted) Save(ctx context.Context, r core.Record, prev core.Version) error {
	c.saves.Add(1)
	return c.Store.Save(ctx, r, prev)
}

// site serves the same three pages with our sessions, and counts store calls.
func site(b *testing.B) (*nethttp.Middleware, *counted) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(b, err)
	c := &counted{Store: store}
	m, err := hosts.New(c, hosts.Config{Key: benchKey, NoCleanup: true})
	require.NoError(b, err)
	h, err := nethttp.New(m, nethttp.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { m.Close(); store.Close() })
	return h, c
}

func ours(b *testing.B, f func(v *nethttp.Session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if err != nil {
			b.Error(err)
			return
		}
		f(v)
		_, _ = w.Write(hello)
	})
}

var hello = []byte("hello")

// request is what a browser with a session sends; serve answers it n times.
func serve(h http.Handler, cookie string, n int) (last *httptest.ResponseRecorder) {
	for range n {
		r := httptest.NewRequest("GET", "http://example.test/", nil)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		last = httptest.NewRecorder()
		h.ServeHTTP(last, r)
	}
	return last
}

func cookieFrom(w *httptest.ResponseRecorder) string {
	c, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return c
}

// The session has the ten values of session and a counter. The ratio is of the
// time above the same handler without sessions.
func BenchmarkRatioRequest(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, calls = 101, 500
	mw, store := site(b)
	begin := mw.Handler(ours(b, func(v *nethttp.Session) {
		require.NoError(b, v.Login("alice", 0))
		require.NoError(b, v.Put("n", 1))
		for name, value := range session() {
			require.NoError(b, v.Put(name, value))
		}
	}))
	cookie := cookieFrom(serve(begin, "", 1))
	n := 0
	read := mw.Handler(ours(b, func(v *nethttp.Session) { _, _ = v.Get("n") }))
	change := mw.Handler(ours(b, func(v *nethttp.Session) { n++; _ = v.Put("n", n) }))
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(hello) })

	sm := scs.New() // with its memory store and codec
	for _, v := range session() {
		gob.Register(v)
	}
	page := func(f func(ctx context.Context)) http.Handler {
		return sm.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(r.Context()); _, _ = w.Write(hello) }))
	}
	peerCookie := cookieFrom(serve(page(func(ctx context.Context) {
		sm.Put(ctx, "n", 1)
		for name, value := range session() {
			sm.Put(ctx, name, value)
		}
	}), "", 1))
	peerRead := page(func(ctx context.Context) { sm.GetInt(ctx, "n") })
	peerChange := page(func(ctx context.Context) { n++; sm.Put(ctx, "n", n) })

	store.loads.Store(0)
	store.saves.Store(0)
	answer := serve(read, cookie, 1000)
	ratio.Print("request-read-saves", float64(store.saves.Load()), 0, false)
	ratio.Print("request-read-set-cookie", float64(len(answer.Header()["Set-Cookie"])), 0, false)
	require.Equal(b, int64(1000), store.loads.Load())

	t := ratio.Interleave(rounds,
		func() { serve(plain, cookie, calls) },
		func() { serve(read, cookie, calls) },
		func() { serve(peerRead, peerCookie, calls) },
		func() { serve(change, cookie, calls) },
		func() { serve(peerChange, peerCookie, calls) })
	above := func(i int) float64 { return float64(t[i]-t[0]) / calls }
	b.Logf("ns above %v: read %.0f, scs %.0f; change %.0f, scs %.0f", t[0]/calls, above(1), above(2), above(3), above(4))
	ratio.Print("request-read-vs-scs", above(1)/above(2), 1./8, false)
	ratio.Print("request-change-vs-scs", above(3)/above(4), 1./5, false)
	ratio.Print("request-read-allocs", allocs(read, cookie)-allocs(plain, cookie), 12, false)
}

// discard is an answer that goes nowhere, so that little but the handler is
// timed.
type discard http.Header

func (d discard) Header() http.Header         { return http.Header(d) }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// A handler that never asks for its session pays for the wrapping alone.
func BenchmarkRatioUntouched(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, calls = 101, 5000
	mw, store := site(b)
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(hello) })
	wrapped := mw.Handler(plain)
	r, w := httptest.NewRequest("GET", "http://example.test/", nil), discard{}
	r.Header.Set("Cookie", "rockstar_session=whatever")
	run := func(h http.Handler) func() {
		return func() {
			for range calls {
				h.ServeHTTP(w, r)
			}
		}
	}
	t := ratio.Interleave(rounds, run(plain), run(wrapped))
	ratio.Print("request-untouched-ns", float64(t[1]-t[0])/calls, 150, false)
	ratio.Print("request-untouched-store-calls", float64(store.loads.Load()+store.saves.Load()), 0, false)
}

func allocs(h http.Handler, cookie string) float64 {
	return testing.AllocsPerRun(200, func() { serve(h, cookie, 1) })
}
