package sessions

import (
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

type (
	// Middleware gives handlers their sessions.
	Middleware = nethttp.Middleware
	// Session is the session as one request has it.
	Session = nethttp.Session
	// HandlerFunc is a handler that has its session and may fail.
	HandlerFunc = nethttp.HandlerFunc
	// Login says how a user signs in: see Session.LoginWith.
	Login = hosts.Login
	// StatusError is an error that a handler answers on purpose, such as a 404.
	StatusError = nethttp.StatusError
	// Config has the key, the cookie, times and limits. Its zero value takes the
	// key from the environment and is safe for production.
	Config = hosts.Config
	// Options says how requests are read and refusals answered.
	Options = nethttp.Options
	// Manager has the methods that need no request: Load, Sessions, Revoke and others.
	Manager = hosts.Manager
	// Store keeps sessions: one of those in this repository, or your own.
	Store = hosts.Store
	// Query selects sessions, by user and tenant.
	Query = hosts.Query
	// Event is something that happened to a session: see Config.OnEvent.
	Event = hosts.Event
	// Secret is a key that is never printed.
	Secret = core.Secret
)

// Errors that handlers look for with errors.Is.
var (
	ErrNotSignedIn = nethttp.ErrNotSignedIn // return it from a HandlerFunc to have the visitor sign in
	ErrConflict    = core.ErrConflict       // a value has changed since it was read: see Session
	ErrUnavailable = hosts.ErrUnavailable   // the store does not answer
)

// New returns the middleware of an application. Without Config.Key and Config.Keys
// the keys are those of SESSION_ENCRYPTION_KEY or SESSION_ENCRYPTION_KEYS: see
// hosts.KeysFromEnv. Close it at the end, and then the store. For a bad config the
// error names the field, the value and what is allowed.
func New(store Store, config Config, options ...Options) (*Middleware, error) {
	var o Options
	switch len(options) {
	case 0:
	case 1:
		o = options[0]
	default:
		return nil, fmt.Errorf("sessions: %d Options; allowed: one", len(options))
	}
	if err := develop(&config, &o); err != nil {
		return nil, err
	}
	if config.Key.IsZero() && len(config.Keys) == 0 {
		keys, err := hosts.KeysFromEnv()
		if errors.Is(err, core.ErrNoKey) {
			err = fmt.Errorf("%w; or set %s=true to try things out on this machine", err, DevelopmentVariable)
		}
		if err != nil {
			return nil, err
		}
		config.Keys = keys
	}
	store, err := cachestore.ForConfig(store, &config)
	if err != nil {
		return nil, err
	}
	manager, err := hosts.New(store, config)
	if err != nil {
		return nil, err
	}
	app, err := nethttp.New(manager, o)
	if err != nil {
		return nil, errors.Join(err, manager.Close())
	}
	return app, nil
}
