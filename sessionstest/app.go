package sessionstest

import (
	"crypto/rand"
	"log/slog"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// App is the sessions of an application under test.
type App struct {
	Middleware *nethttp.Middleware
	Manager    *hosts.Manager
	Clock      *Clock

	t      testing.TB
	events recorder
}

// Setup is what a test wants otherwise than [New] does.
type Setup struct {
	Config  hosts.Config // what is missing is filled in: see Prepare
	Options nethttp.Options
	Store   hosts.Store // [a new one in memory] it is the caller's to close
}

// New returns sessions in memory that end with the test. Their cookies are Secure,
// as in production; visitors send them over plain HTTP, too.
func New(t testing.TB) *App {
	t.Helper()
	return With(t, Setup{})
}

// With is New with a setup.
func With(t testing.TB, s Setup) *App {
	t.Helper()
	app := Prepare(t, &s.Config)
	if s.Store == nil {
		memory, err := cachestore.Open(cachestore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = memory.Close() }) // never fails
		s.Store = memory
	}
	manager, err := hosts.New(s.Store, s.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := manager.Close(); err != nil {
			t.Error(err)
		}
	})
	mw, err := nethttp.New(manager, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	return app.Use(mw)
}

// Prepare fills in the config of an application that makes its manager by itself,
// and is followed by [App.Use]:
//
//	config := hosts.Config{IdleTimeout: time.Hour}
//	app := sessionstest.Prepare(t, &config)
//	shop := shop.New(database, config)
//	app.Use(shop.Middleware)
//
// A missing key is drawn, a missing Clock and Logger are made, the App gets
// events beside OnEvent, and expired sessions are not cleaned up in the background. The
// key is a new one in each test: a constant would find its way into a program
// that is not a test.
func Prepare(t testing.TB, c *hosts.Config) *App {
	t.Helper()
	app := &App{t: t}
	if c.Key.IsZero() && len(c.Keys) == 0 {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		c.Key = core.NewSecret(key)
	}
	switch clock := c.Clock.(type) {
	case nil:
		app.Clock = NewClock(t)
		c.Clock = app.Clock
	case *Clock:
		app.Clock = clock
	default:
		t.Fatalf("sessionstest: Config.Clock is a %T; allowed: none, or what sessionstest.NewClock returns", clock)
	}
	if c.Logger == nil { // warnings only, beside what the test logs
		c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	app.events.next = c.OnEvent
	c.OnEvent = app.events.record
	c.NoCleanup = true
	return app
}

// Use takes the middleware of an application, that which its handlers have around
// them, and returns app.
func (app *App) Use(mw *nethttp.Middleware) *App {
	app.t.Helper()
	app.Middleware, app.Manager = mw, mw.Manager()
	before := app.Clock.reads.Load()
	if _, err := app.Manager.Create(app.t.Context()); err != nil { // stores nothing; it asks the clock
		app.t.Fatalf("sessionstest: the manager makes no session: %v", err)
	}
	if app.Clock.reads.Load() == before {
		app.t.Fatal("sessionstest: the manager of this middleware has another clock: make it from the config that Prepare has filled in, or wrap it with sessionstest.Wrap")
	}
	return app
}

// Wrap is for an application whose manager is made from a config that the test
// cannot reach. Its time cannot be moved and its events are not seen.
func Wrap(t testing.TB, mw *nethttp.Middleware) *App {
	t.Helper()
	app := &App{Middleware: mw, Manager: mw.Manager(), Clock: NewClock(t), t: t}
	app.Clock.foreign, app.events.foreign = true, true
	return app
}

// maxSessions is how many sessions of one user a test may look at.
const maxSessions = 1000

// Sessions returns the live sessions of a user as the store has them, of every
// tenant, ordered by ID; those of nobody for an empty user. Values are in Data, or
// read by hosts.Get. It needs a store that is a hosts.Finder.
func (app *App) Sessions(user string) []*hosts.Session {
	app.t.Helper()
	q := hosts.Query{User: user, Anonymous: user == "", AnyTenant: true}
	list, next, err := app.Manager.Sessions(app.t.Context(), q, core.ID{}, maxSessions)
	if err != nil {
		app.t.Fatalf("sessionstest: sessions of %q: %v", user, err)
	}
	if !next.IsZero() {
		app.t.Fatalf("sessionstest: %q has %d sessions or more; allowed: fewer", user, maxSessions)
	}
	return list
}

// Session returns the one session that a user has. None, or several, end the test.
func (app *App) Session(user string) *hosts.Session {
	app.t.Helper()
	list := app.Sessions(user)
	if len(list) != 1 {
		app.t.Fatalf("sessionstest: %q has %d live sessions; Session is for one, Sessions for any number", user, len(list))
	}
	return list[0]
}
