package caddy

import (
	"fmt"
	"net/http"
	"strings"

	caddyserver "github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func init() { caddyserver.RegisterModule(Gate{}) }

// Gate is the handler of the directive sessions: it lets signed-in visitors through
// and adds to the request who they are, for the handlers behind it.
type Gate struct {
	Provider
	// Login is a path of this site. People without a session are sent there, as by
	// nethttp.ToLogin, and everybody reaches the path itself. Without it they get 401.
	Login string `json:"login,omitempty"`
	// Optional lets visitors through who are not signed in, without a user.
	Optional bool `json:"optional,omitempty"`
}

// CaddyModule describes the module to Caddy.
func (Gate) CaddyModule() caddyserver.ModuleInfo {
	return caddyserver.ModuleInfo{
		ID:  "http.handlers.sessions",
		New: func() caddyserver.Module { return new(Gate) },
	}
}

// Validate refuses a login path that leads elsewhere.
func (g *Gate) Validate() error {
	if g.Login != "" && (!nethttp.IsLocal(g.Login) || strings.ContainsAny(g.Login, "?#")) {
		return fmt.Errorf("sessions: login is %q; allowed: a path of this site, such as /login", g.Login)
	}
	return g.Provider.Validate()
}

// ServeHTTP hands on the requests of signed-in visitors.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	gateway.DropClaims(r.Header, trusted)
	gateway.DropClaims(r.Trailer, trusted)
	plainConnection(r.Header)
	w.Header().Add("Vary", "Cookie")
	user := caddyauth.User{Metadata: map[string]string{"tenant": "", "session_id": ""}}
	s, err := g.session(w, r)
	switch {
	case err == nil:
		user = userOf(s)
		gateway.SetIdentity(r.Header, s)
	case !isRefusal(err):
		nethttp.NoStore(w.Header())
		status, _ := nethttp.Failure(err)
		return caddyhttp.Error(status, err)
	case !g.Optional && (g.Login == "" || asked(r).URL.Path != g.Login):
		return g.refuse(w, r, err)
	}
	known := replacer(r)
	known.Set("http.auth.user.id", user.ID)
	for name, value := range user.Metadata {
		known.Set("http.auth.user."+name, value)
	}
	return next.ServeHTTP(w, r)
}

// asked is the request before Caddy has rewritten its path.
func asked(r *http.Request) *http.Request {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok {
		return r
	}
	was := *r
	was.URL, was.RequestURI = original.URL, original.RequestURI
	return &was
}

// refuse sends people to the login, and others away.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, err error) error {
	if g.Login != "" && nethttp.ToLogin(w, asked(r), g.Login, err) {
		return nil
	}
	nethttp.NoStore(w.Header())
	return caddyhttp.Error(http.StatusUnauthorized, err)
}

// plainConnection leaves of Connection only what asks for a WebSocket: a client
// could name there the fields that say who they are, and a proxy would drop these.
func plainConnection(h http.Header) {
	for _, field := range h["Connection"] {
		for name := range strings.SplitSeq(field, ",") {
			if strings.EqualFold(strings.TrimSpace(name), "Upgrade") {
				h["Connection"] = []string{"Upgrade"}
				return
			}
		}
	}
	delete(h, "Connection")
}
