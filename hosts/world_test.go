package hosts_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// key is of no other use.
var key = core.NewSecret("\x91\x0e\xc7manager tests, not a secret..."[:32])

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

// logbook is what a logger wrote.
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

func (l *logbook) count(text string) int { return bytes.Count([]byte(l.String()), []byte(text)) }

// backend is a real store, seen through two handles.
type backend struct {
	name string
	open func(t *testing.T) (a, b hosts.Store)
}

var backends = []backend{
	{"memory", func(t *testing.T) (a, b hosts.Store) {
		s := memory(t)
		return s, s
	}},
	{"files", func(t *testing.T) (a, b hosts.Store) {
		dir := t.TempDir()
		return files(t, dir), files(t, dir)
	}},
}

func memory(t *testing.T) *cachestore.Store {
	t.Helper()
	s, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func files(t *testing.T, dir string) *fsstore.Store {
	t.Helper()
	s, err := fsstore.Open(fsstore.Options{Dir: dir, Fast: true, Shared: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// site is a manager with what it told.
type site struct {
	*hosts.Manager
	t     *testing.T
	store hosts.Store
	clock *clock
	log   *logbook
	mu    sync.Mutex
	told  []hosts.Event
}

// open returns a manager over store, or over memory. Its clock is a test's.
func open(t *testing.T, store hosts.Store, c hosts.Config) *site {
	t.Helper()
	if store == nil {
		store = memory(t)
	}
	s := &site{t: t, store: store, log: new(logbook)}
	if c.Key.IsZero() && c.Keys == nil {
		c.Key = key
	}
	if c.Clock == nil {
		c.Clock = newClock()
	}
	s.clock, _ = c.Clock.(*clock)
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if c.OnEvent == nil {
		c.OnEvent = s.hear
	}
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	s.Manager = m
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return s
}

func (s *site) hear(e hosts.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, e)
}

// events ends the manager and returns what it told, of the kinds named.
func (s *site) events(kinds ...hosts.EventKind) (all []hosts.Event) {
	require.NoError(s.t, s.Close())
	for _, e := range s.told {
		for _, k := range kinds {
			if e.Kind == k {
				all = append(all, e)
			}
		}
	}
	return all
}

// browser keeps one cookie.
type browser struct {
	name, value string
	ip          netip.Addr
	agent       string
	tenant      string
	plain       bool
	set         []*http.Cookie // all that it was ever given
}

func newBrowser() *browser {
	return &browser{ip: netip.MustParseAddr("192.0.2.7"), agent: "Tests/1.0"}
}

// clone is a browser with the same cookie, such as a thief's.
func (b *browser) clone() *browser {
	c := *b
	c.set = nil
	return &c
}

func (b *browser) field() []string {
	if b.value == "" {
		return nil
	}
	return []string{b.name + "=" + b.value}
}

// ask begins a request.
func (b *browser) ask(m *site) *hosts.Request { return b.asking(m.t.Context(), m.Manager) }

func (b *browser) asking(ctx context.Context, m *hosts.Manager) *hosts.Request {
	x := &hosts.Request{Context: ctx, Cookies: hosts.CookieFields(b.field()...), IP: b.ip, UserAgent: b.agent, Tenant: b.tenant, HTTPS: !b.plain}
	x.Reply = func(field, value string) error {
		if field != "Set-Cookie" {
			return nil
		}
		c, err := http.ParseSetCookie(value)
		if err != nil {
			return err
		}
		b.set = append(b.set, c)
		if c.Path == "/" {
			b.name, b.value = c.Name, c.Value
		}
		return nil
	}
	return m.Attach(x)
}

// login signs a user in and returns the session.
func (b *browser) login(m *site, user string) *hosts.Session {
	m.t.Helper()
	x := b.ask(m)
	defer x.Close()
	s, err := m.Login(x, user, 0)
	require.NoError(m.t, err)
	return s
}

// session returns the browser's session, or why it has none.
func (b *browser) session(m *site) (*hosts.Session, error) {
	x := b.ask(m)
	defer x.Close()
	return m.GetSessionFromCookie(x)
}

// create makes and saves a session without a request.
func (s *site) create() *hosts.Session {
	s.t.Helper()
	n, err := s.Create(s.t.Context())
	require.NoError(s.t, err)
	require.NoError(s.t, s.Save(s.t.Context(), n))
	return n
}

// data returns what is stored.
func (s *site) data(id core.ID) map[string]any {
	s.t.Helper()
	n, err := s.Load(s.t.Context(), id)
	require.NoError(s.t, err)
	return n.Data
}

// gone says that a session has ended for good.
func (s *site) gone(id core.ID) {
	s.t.Helper()
	_, err := s.Load(s.t.Context(), id)
	require.ErrorIs(s.t, err, core.ErrNotFound)
	r, err := s.store.Load(s.t.Context(), id)
	if err == nil { // the trace of a login as another user
		require.Empty(s.t, r.User)
		require.Equal(s.t, r.CreatedAt+core.SupersededHold, r.ExpiresAt)
		return
	}
	require.ErrorIs(s.t, err, core.ErrNotFound)
}

// isAny reports whether err is one of the given.
func isAny(err error, these ...error) bool {
	for _, e := range these {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
