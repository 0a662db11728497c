package mission

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// key is the site's, key2 another server's.
var (
	key  = core.NewSecret("\x8f\x1b\x90mission tests, of no other use"[:32])
	key2 = core.NewSecret("\x03\xe7\xa1second mission key, no other use"[:32])
)

// clock stands still until a test moves it.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.now.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) Now() core.Time       { return core.Time(c.now.Load()) }
func (c *clock) time() time.Time      { return time.UnixMilli(c.now.Load()) }
func (c *clock) pass(d time.Duration) { c.now.Add(d.Milliseconds()) }

// logbook is the log of a site.
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
	store hosts.Store // instead of one from the backend
	dir   string      // instead of an empty one
	plain bool        // HTTP instead of HTTPS
}

// site is a server with sessions.
type site struct {
	t       *testing.T
	b       backend
	setup   setup
	clock   *clock
	store   hosts.Store
	free    func() // closes it, if it is this site's
	manager *hosts.Manager
	mw      *nethttp.Middleware
	server  *httptest.Server
	network *http.Transport
	events  chan hosts.Event
	log     *logbook // of the sessions
	faults  *logbook // of the server: panics
	calls   sync.Map // handlers of the moment, by number
	number  atomic.Int64
}

// open starts a site with the guide's routes. Its clock is a test's, and its
// events and its log are kept.
func open(t *testing.T, b backend, o setup) *site {
	t.Helper()
	s := &site{t: t, b: b, events: make(chan hosts.Event, 1<<13), log: new(logbook)}
	if o.Key.IsZero() && o.Keys == nil {
		o.Key = key
	}
	if o.Clock == nil {
		o.Clock = newClock()
	}
	s.clock, _ = o.Clock.(*clock)
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	s.setup = o
	if s.store = o.store; s.store == nil {
		s.store, s.free = b.handle(t, o.dir)
	}
	o.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.OnEvent = func(e hosts.Event) {
		select {
		case s.events <- e:
		default:
			t.Error("a site has more events than are kept")
		}
	}
	m, err := b.manager(s.store, o.Config)
	require.NoError(t, err)
	s.serve(m, o.Options, o.plain)
	return s
}

// serve puts a manager behind a server.
func (s *site) serve(m *hosts.Manager, o nethttp.Options, plain bool) {
	s.manager, s.faults = m, new(logbook)
	var err error
	s.mw, err = nethttp.New(m, o)
	require.NoError(s.t, err)
	s.server = httptest.NewUnstartedServer(s.routes())
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(s.faults, nil), slog.LevelError)
	if plain {
		s.server.Start()
	} else {
		c, err := certificate()
		require.NoError(s.t, err)
		s.server.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
		s.server.StartTLS()
	}
	s.network = s.transport()
	s.t.Cleanup(s.stop)
}

// stop ends server and manager, and hands out all events.
func (s *site) stop() {
	s.network.CloseIdleConnections()
	s.server.Close()
	require.NoError(s.t, s.manager.Close())
}

// restart returns the site as it is after its process ended and began again.
func (s *site) restart() *site {
	s.stop()
	if s.free != nil {
		s.free()
	}
	o := s.setup
	o.Clock, o.store = s.clock, nil
	return open(s.t, s.b, o)
}

// twin returns a second server on the same sessions: with a store of its own
// where several processes may have one, else with the same one.
func (s *site) twin() *site {
	o := s.setup
	o.Clock = s.clock
	if !s.b.lasts || s.b.single {
		o.store = s.store
	}
	return open(s.t, s.b, o)
}

// await returns the next event of a kind, passing over others.
func (s *site) await(kind hosts.EventKind) hosts.Event {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-s.events:
			if e.Kind == kind {
				return e
			}
		case <-late:
			s.t.Fatalf("no event %q", kind)
		}
	}
}

// told returns all events so far. The site is at its end.
func (s *site) told() (all []hosts.Event) {
	s.stop()
	close(s.events)
	for e := range s.events {
		all = append(all, e)
	}
	return all
}

// stored returns a record as the store has it.
func (s *site) stored(id core.ID) (core.Record, error) { return s.store.Load(s.t.Context(), id) }

// verbs is a handler in the manner of the guide.
type verbs func(x *hosts.Request, w http.ResponseWriter)

// visit is a handler under the middleware.
type visit func(v *nethttp.Session, w http.ResponseWriter)

// by makes a handler of one in the manner of the guide.
func (s *site) by(h verbs) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.mw.Request(w, r)
		defer x.Close()
		h(x, form{w, r})
	}
}

// within makes a handler of one under the middleware.
func (s *site) within(h visit) http.HandlerFunc {
	return s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if err != nil {
			refuse(w, err)
			return
		}
		h(v, form{w, r})
	})).ServeHTTP
}
