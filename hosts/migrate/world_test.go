package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/migrate"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// key is of no other use.
var key = core.NewSecret("\x81\x0f\xc3moving tests, not a secret!!!"[:32])

type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.now.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) Now() core.Time       { return core.Time(c.now.Load()) }
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

func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.text.Bytes(), []byte(text))
}

// library is an old library whose tokens are the names of its sessions.
type library struct {
	mu       sync.Mutex
	sessions map[string]migrate.Old
	down     error
	gate     *gate // may be nil
}

func (l *library) Cookie() http.Cookie {
	return http.Cookie{Name: "old", Path: "/app", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func (l *library) Load(ctx context.Context, r *http.Request) (old *migrate.Old, err error) {
	c, err := r.Cookie("old")
	if err != nil || c.Value == "" {
		return nil, nil
	}
	err = l.gate.pass(ctx, "old load", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		old = &migrate.Old{Token: c.Value}
		if s, ok := l.sessions[c.Value]; ok {
			old.Values, old.Expires = maps.Clone(s.Values), s.Expires
		}
		return l.down
	})
	return old, err
}

func (l *library) End(ctx context.Context, token string) error {
	return l.gate.pass(ctx, "old end", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.sessions, token)
		return l.down
	})
}

func (l *library) has(token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.sessions[token]
	return ok
}

// site is a server that moves sessions.
type site struct {
	*migrate.Mover
	t          *testing.T
	manager    *hosts.Manager
	middleware *nethttp.Middleware
	store      hosts.Store
	clock      *clock
	library    *library
	log        *logbook
}

// open returns a server over a store, a clock and a library that others may share.
func open(t *testing.T, from *site, c hosts.Config, o migrate.Options) *site {
	t.Helper()
	s := &site{t: t, log: new(logbook)}
	if from != nil {
		s.store, s.clock, s.library = from.store, from.clock, from.library
	} else {
		store, err := cachestore.Open(cachestore.Options{MaxBytes: cachestore.LeastMaxBytes})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		s.store, s.clock = store, newClock()
		s.library = &library{sessions: map[string]migrate.Old{}}
	}
	c.Key, c.Clock, c.AllowInsecure = key, s.clock, true
	c.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	m, err := hosts.New(s.store, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	o.Source, o.Key = s.library, key
	o.Logger = c.Logger
	if o.User == nil {
		o.User = func(values map[string]any) (string, bool) {
			user, ok := values["user"].(string)
			return user, ok
		}
	}
	s.manager, s.middleware = m, mw
	s.Mover, err = migrate.New(mw, o)
	require.NoError(t, err)
	return s
}

// keep stores an old session for a day.
func (s *site) keep(token string, values map[string]any) {
	s.library.sessions[token] = migrate.Old{Values: values, Expires: s.clock.Now().Time().Add(24 * time.Hour)}
}

// live returns the sessions of a user in the store.
func (s *site) live(user string) (ids []core.ID) {
	finder, _ := hosts.As[hosts.Finder](s.store)
	records, err := finder.Find(s.t.Context(), hosts.Query{User: user}, core.ID{}, 100)
	require.NoError(s.t, err)
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// jar keeps cookies by name.
type jar map[string]string

func oldJar(token string) jar { return jar{"old": token} }

// seen is what a request got.
type seen struct {
	status int
	user   string
	id     core.ID
	stored bool
	err    error
	header http.Header
}

// visit does one request, and do in its handler.
func (j jar) visit(ctx context.Context, s *site, do func(v *nethttp.Session) error) (got seen) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	for name, value := range j {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v *nethttp.Session
		if v, got.err = nethttp.From(r); got.err == nil {
			got.user, got.id, got.stored = v.User(), v.ID(), v.Stored()
			if do != nil {
				got.err = do(v)
			}
		}
		if got.err != nil {
			status, text := nethttp.Failure(got.err)
			http.Error(w, text, status)
		}
	})).ServeHTTP(w, r)
	got.status, got.header = w.Code, w.Header()
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(j, c.Name)
		} else {
			j[c.Name] = c.Value
		}
	}
	return got
}

func (s *site) visit(j jar) seen { return j.visit(s.t.Context(), s, nil) }

func logout(v *nethttp.Session) error { return v.Destroy() }

var errDown = errors.New("the old store is down")
