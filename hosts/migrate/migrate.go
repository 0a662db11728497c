package migrate

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Options says what moves, and how. Source, Key and User are required.
type Options struct {
	Source Source

	// Key is at least 32 secret bytes, from which the IDs of markers and the
	// secrets of moved sessions are derived. It must stay the same for as long as
	// old cookies live: with another key their markers are not found, and a
	// session that was ended could be moved again. So it is not taken from the
	// manager, whose keys are rotated. The key that the manager has today will do.
	Key core.Secret

	// User returns who is signed in, by the old session's values. A session with
	// nobody moves, too, as long as there is a value to keep.
	User func(values map[string]any) (user string, ok bool)

	// Values makes of an old value what the session is to keep, by name: see Of.
	// Without a function a value goes over as it is. A function that returns nil
	// leaves its value behind.
	Values map[string]func(old any) (any, error)

	// Lifetime of moved sessions, from the move on. Zero is the rest of the old
	// session's, and no longer than Config.MaxLifetime.
	Lifetime time.Duration

	// KeepOld leaves the old cookie and the old session alive until the moved
	// session ends. Switch it on while servers with the old code run, or may run
	// again. Without it they end as soon as the browser has sent our cookie.
	KeepOld bool

	// Logger logs once each name whose values do not fit. [slog.Default]
	Logger *slog.Logger
	// OnUnfit is called for the same, from a request's goroutine.
	OnUnfit func(name string, err error)
}

// Mover moves the sessions of visitors as they come. It is safe for concurrent use.
type Mover struct {
	mw     *nethttp.Middleware
	o      Options
	books  books
	cookie http.Cookie
	told   told
}

const leastKey = 32 // bytes

// New returns a Mover in front of a middleware.
func New(mw *nethttp.Middleware, o Options) (*Mover, error) {
	refuse := func(field, value, allowed string) error {
		return fmt.Errorf("migrate: %w", &hosts.ConfigError{Field: field, Value: value, Allowed: allowed})
	}
	switch {
	case mw == nil:
		return nil, refuse("middleware", "nil", "one that nethttp.New returns")
	case o.Source == nil:
		return nil, refuse("Source", "nil", "the library to move from, such as scsmigrate.Source")
	case o.User == nil:
		return nil, refuse("User", "nil", "a function that finds the signed-in user among the old values")
	case len(o.Key.Bytes()) < leastKey:
		return nil, refuse("Key", fmt.Sprintf("of %d bytes", len(o.Key.Bytes())), "at least 32 secret bytes, the same for the whole of the move; the manager's key will do")
	case o.Lifetime < 0:
		return nil, refuse("Lifetime", o.Lifetime.String(), "a positive duration; zero for the rest of the old one")
	}
	c := o.Source.Cookie()
	if c.Name == "" || c.Name == mw.Manager().Policy().CookieName {
		return nil, refuse("Source", fmt.Sprintf("cookie name %q", c.Name), "another name than the manager's: set Config.CookieName")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	m := &Mover{mw: mw, o: o, cookie: c}
	m.books = books{manager: mw.Manager(), key: deriveKey(o.Key, c.Name)}
	return m, nil
}

// Handler is Middleware.Handler for visitors of whom some come from the old
// library: it takes the place of that, or is within it.
func (m *Mover) Handler(next http.Handler) http.Handler {
	return m.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(m.cookie.Name); err == nil {
			m.await(m.mw.Request(w, r), r)
		}
		next.ServeHTTP(w, r)
	}))
}
