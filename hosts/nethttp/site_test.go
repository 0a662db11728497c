package nethttp_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

const (
	patience   = 20 * time.Second // for what must happen
	cookieName = "sid"
)

var siteKey = core.NewSecret("\x8f\x1bA test key, really not for any use"[:32])

// stillClock stands until a test moves it.
type stillClock struct{ ms atomic.Int64 }

func (c *stillClock) Now() core.Time       { return core.Time(c.ms.Load()) }
func (c *stillClock) pass(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// logbook is everything that was logged and every error text that was noted.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// setup is what a test wants otherwise than the defaults of a site.
type setup struct {
	hosts.Config
	nethttp.Options
	outside func(http.Handler) http.Handler // around Host.Handler
	inside  func(http.Handler) http.Handler // between it and the handlers
	http2   bool                            // HTTP/2 over TLS in place of HTTP/1.1
}

// site is a real server whose handlers come with each request of a test.
type site struct {
	t       *testing.T
	clock   *stillClock
	memory  *cachestore.Store // beneath the faults
	manager *hosts.Manager
	mw      *nethttp.Middleware
	server  *httptest.Server
	log     logbook
	plan    atomic.Pointer[conformance.Plan]
	after   atomic.Pointer[func(conformance.Verb)] // called before an answer of the store goes back
	calls   [3]atomic.Int64                        // loads, saves, deletes
	routes  sync.Map                               // handlers by path
	number  atomic.Int64
	cookies sync.Map // every value that a browser was given, and the tenant
}

func open(t *testing.T, o setup) *site {
	t.Helper()
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	s := &site{t: t, memory: memory, clock: &stillClock{}}
	s.clock.ms.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
	s.faults(func(int, conformance.Verb) conformance.Fault { return conformance.Pass })
	o.Key, o.Clock, o.NoCleanup, o.AllowInsecure, o.CookieName = siteKey, s.clock, true, !o.http2, cookieName
	o.Logger = slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.manager, err = hosts.New(conformance.Faulty(watched{memory, s}, func(call int, v conformance.Verb) conformance.Fault {
		switch v {
		case conformance.Load:
			s.calls[0].Add(1)
		case conformance.Save:
			s.calls[1].Add(1)
		case conformance.Delete:
			s.calls[2].Add(1)
		}
		return (*s.plan.Load())(call, v)
	}), o.Config)
	require.NoError(t, err)
	s.mw, err = nethttp.New(s.manager, o.Options)
	require.NoError(t, err)

	handler := http.Handler(http.HandlerFunc(s.route))
	if o.inside != nil {
		handler = o.inside(handler)
	}
	if handler = s.mw.Handler(handler); o.outside != nil {
		handler = o.outside(handler)
	}
	s.server = httptest.NewUnstartedServer(handler)
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(&s.log, nil), slog.LevelError)
	if s.server.EnableHTTP2 = o.http2; o.http2 {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	t.Cleanup(func() {
		s.server.Close()
		require.NoError(t, s.manager.Close())
		s.requireNoSecrets()
	})
	return s
}

// watched is the memory store, and tells when it has done a call.
type watched struct {
	*cachestore.Store
	s *site
}

func (w watched) done(v conformance.Verb) {
	if f := w.s.after.Load(); f != nil {
		(*f)(v)
	}
}

func (w watched) Load(ctx context.Context, id core.ID) (core.Record, error) {
	defer w.done(conformance.Load)
	return w.Store.Load(ctx, id)
}

func (w watched) Save(ctx context.Context, r core.Record, prev core.Version) error {
	defer w.done(conformance.Save)
	return w.Store.Save(ctx, r, prev)
}

func (w watched) Delete(ctx context.Context, id core.ID) error {
	defer w.done(conformance.Delete)
	return w.Store.Delete(ctx, id)
}

func (s *site) faults(p conformance.Plan) { s.plan.Store(&p) }

// mend lets every call of the store through again.
func (s *site) mend() {
	s.faults(func(int, conformance.Verb) conformance.Fault { return conformance.Pass })
	s.after.Store(nil)
}

// always does the same to every call of a verb.
func always(verb conformance.Verb, f conformance.Fault) conformance.Plan {
	return func(_ int, v conformance.Verb) conformance.Fault {
		if v == verb {
			return f
		}
		return conformance.Pass
	}
}

// counts returns how many loads, saves and deletes there were since it was last asked.
func (s *site) counts() [3]int64 {
	return [3]int64{s.calls[0].Swap(0), s.calls[1].Swap(0), s.calls[2].Swap(0)}
}

// note keeps an error's text for the search for secrets, and returns it.
func (s *site) note(err error) error {
	if err != nil {
		fmt.Fprintln(&s.log, err)
	}
	return err
}

func (s *site) route(w http.ResponseWriter, r *http.Request) {
	if h, ok := s.routes.Load(r.URL.Path); ok {
		h.(http.HandlerFunc)(w, r)
		return
	}
	http.NotFound(w, r)
}

// stored returns the session's record and whether there is one.
func (s *site) stored(id core.ID) (core.Record, bool) {
	r, err := s.memory.Load(s.t.Context(), id)
	if err != nil {
		require.ErrorIs(s.t, err, core.ErrNotFound)
	}
	return r, err == nil
}

// all returns every stored record.
func (s *site) all() []core.Record {
	records, err := s.memory.Find(s.t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
	require.NoError(s.t, err)
	return records
}
