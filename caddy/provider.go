package caddy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	caddyserver "github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
)

// openTimeout bounds the opening of a store.
const openTimeout = 30 * time.Second

func init() { caddyserver.RegisterModule(Provider{}) }

// Provider finds the user who is signed in by the session cookie.
type Provider struct {
	// Store names the store, as stores.Open takes it. Placeholders are replaced
	// once: {env.SESSION_STORE} keeps a password out of the config.
	Store string `json:"store,omitempty"`
	// Cookie is the name of the application's session cookie, if it has chosen one.
	Cookie string `json:"cookie,omitempty"`
	// KeyEnv names the environment variable of the key. By default it is
	// SESSION_ENCRYPTION_KEY, or SESSION_ENCRYPTION_KEYS for several.
	KeyEnv string `json:"key_env,omitempty"`
	// Tenant is the tenant of a request where the application has tenants:
	// placeholders such as {http.request.host}.
	Tenant string `json:"tenant,omitempty"`

	name string // of the store that is held, with a password perhaps
	app  *nethttp.Middleware
}

// CaddyModule describes the module to Caddy.
func (Provider) CaddyModule() caddyserver.ModuleInfo {
	return caddyserver.ModuleInfo{
		ID:  "http.authentication.providers.sessions",
		New: func() caddyserver.Module { return new(Provider) },
	}
}

// handles are the open stores. A config that replaces another has the same handle:
// some stores have but one.
var handles = caddyserver.NewUsagePool()

type handle struct {
	hosts.Store
	io.Closer
}

func (h *handle) Destruct() error { return h.Close() }

// Provision opens the store.
func (p *Provider) Provision(ctx caddyserver.Context) error {
	keys, err := p.keys()
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	name, err := caddyserver.NewReplacer().ReplaceOrErr(p.Store, true, true)
	if err != nil {
		return fmt.Errorf("sessions: store: %w", err)
	}
	if name == "" {
		return errors.New("sessions: no store is named; allowed: " + stores.Allowed())
	}
	found, _, err := handles.LoadOrNew(name, func() (caddyserver.Destructor, error) {
		opening, cancel := context.WithTimeout(ctx, openTimeout)
		defer cancel()
		s, closer, err := stores.Open(opening, name)
		return &handle{s, closer}, err
	})
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	p.name = name
	store := found.(*handle).Store
	manager, err := hosts.New(store, hosts.Config{Keys: keys, CookieName: p.Cookie, Logger: ctx.Slogger(), NoCleanup: true}) // the application sweeps
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	p.app, err = nethttp.New(manager, nethttp.Options{Tenant: p.tenant})
	return err
}

func (p *Provider) keys() (core.KeyRing, error) {
	if p.KeyEnv == "" {
		return hosts.KeysFromEnv()
	}
	key, err := hosts.KeyFromEnv(p.KeyEnv)
	return core.KeyRing{{Bytes: key}}, err
}

func (p *Provider) tenant(r *http.Request) string {
	if p.Tenant == "" {
		return ""
	}
	return replacer(r).ReplaceAll(p.Tenant, "")
}

func replacer(r *http.Request) *caddyserver.Replacer {
	found, _ := r.Context().Value(caddyserver.ReplacerCtxKey).(*caddyserver.Replacer)
	if found == nil {
		found = caddyserver.NewReplacer()
	}
	return found
}

// Validate refuses a provider that Provision did not finish.
func (p *Provider) Validate() error {
	if p.app == nil {
		return errors.New("sessions: the module was not provisioned")
	}
	return nil
}

// Cleanup closes the store, if no newer config uses it.
func (p *Provider) Cleanup() (err error) {
	if p.app != nil {
		err = p.app.Close()
	}
	if p.name != "" {
		_, closed := handles.Delete(p.name)
		err = errors.Join(err, closed)
	}
	p.app, p.name = nil, ""
	return err
}

// Authenticate returns the user who is signed in, if one is. An error means that
// it could not be found out.
func (p *Provider) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	s, err := p.session(w, r)
	switch {
	case isRefusal(err):
		return caddyauth.User{}, false, nil
	case err != nil:
		return caddyauth.User{}, false, err
	}
	return userOf(s), true, nil
}

// session returns the session of a signed-in user. It changes nothing, and sets no
// cookie: the application alone knows the attributes.
func (p *Provider) session(w http.ResponseWriter, r *http.Request) (*core.Session, error) {
	x := *p.app.Request(w, r)
	x.NoCookie, x.Reply = true, nil
	defer x.Close()
	s, err := p.app.Manager().Resume(&x)
	if err == nil && s.User() == "" {
		err = nethttp.ErrNotSignedIn
	}
	return s, err
}

// isRefusal distinguishes a visitor who is not signed in from a store that does not answer.
func isRefusal(err error) bool {
	_, refused := errors.AsType[*core.Refusal](err)
	return refused || errors.Is(err, nethttp.ErrNotSignedIn)
}

func userOf(s *core.Session) caddyauth.User {
	return caddyauth.User{ID: s.User(), Metadata: map[string]string{"tenant": s.Tenant(), "session_id": s.ID().String()}}
}
