package nethttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Options says how requests are read and refusals are answered. Its zero value
// is for a server without a proxy before it and without tenants.
type Options struct {
	// Tenant names the tenant of a request, by its host for example. Tenants
	// that share a host name need a cookie name or path each.
	Tenant func(*http.Request) string

	// TrustedProxies may say who the client is. From everybody else the
	// forwarding header is ignored.
	TrustedProxies []netip.Prefix
	// ForwardedHeader is the one that the proxies set: "X-Forwarded-For"
	// (the default, with X-Forwarded-Proto) or "Forwarded" (RFC 7239). Only
	// one, since a client can send the other through.
	ForwardedHeader string

	// Unauthorized answers for Require when nobody is signed in: err is the
	// refusal. The default is 401 with a JSON object {"error","reason"}.
	Unauthorized func(w http.ResponseWriter, r *http.Request, err error)
	// Failed answers when a session could not be loaded or stored: none of
	// what the handler wrote is sent. The default is 503, or 409, 413 and 400
	// where the request itself is at fault, as plain text.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
}

// Host gives the handlers of a net/http server their sessions. It is safe for
// concurrent use.
type Host struct {
	manager *hosts.Manager
	o       Options
}

// New returns a Host for a manager.
func New(m *hosts.Manager, o Options) (*Host, error) {
	if m == nil {
		return nil, errors.New("nethttp: manager is nil: make one with hosts.New")
	}
	switch http.CanonicalHeaderKey(o.ForwardedHeader) {
	case "":
		o.ForwardedHeader = "X-Forwarded-For"
	case "X-Forwarded-For", "Forwarded":
		o.ForwardedHeader = http.CanonicalHeaderKey(o.ForwardedHeader)
	default:
		return nil, fmt.Errorf("nethttp: %w", &hosts.ConfigError{Field: "ForwardedHeader", Value: o.ForwardedHeader, Allowed: "X-Forwarded-For, Forwarded"})
	}
	for _, p := range o.TrustedProxies {
		if !p.IsValid() {
			return nil, fmt.Errorf("nethttp: %w", &hosts.ConfigError{Field: "TrustedProxies", Value: p.String(), Allowed: "address prefixes such as 10.0.0.0/8"})
		}
	}
	if o.Unauthorized == nil {
		o.Unauthorized = unauthorized
	}
	if o.Failed == nil {
		o.Failed = failed
	}
	return &Host{m, o}, nil
}

// Manager returns the manager that the host was made with.
func (h *Host) Manager() *hosts.Manager { return h.manager }

// Handler gives next its sessions: [Session] finds them. A session is loaded
// when it is first asked for, and what changed is stored before the first byte
// of the answer; when that fails, an error page is sent in place of the
// handler's answer. A second Handler on the same request does nothing.
func (h *Host) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.roundOf(r) != nil {
			next.ServeHTTP(w, r)
			return
		}
		rd := &round{ResponseWriter: w, host: h, request: r}
		next.ServeHTTP((*writer)(rd), r.WithContext((*roundContext)(rd)))
		rd.finish() // not reached by a panic: that commits nothing
	})
}

// Require lets only requests with a signed-in user through to next. It brings
// its own Handler where there is none.
func (h *Host) Require(next http.Handler) http.Handler {
	return h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := h.Session(r)
		switch {
		case err != nil:
			h.o.Failed(w, r, err)
		case v.User() == "":
			h.o.Unauthorized(w, r, v.Refusal())
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// Exchange returns the request as the manager's verbs take it: the one of the
// Handler around it, or a new one, to be closed at the end of the request.
func (h *Host) Exchange(w http.ResponseWriter, r *http.Request) *hosts.Exchange {
	if rd := h.roundOf(r); rd != nil {
		return &rd.visit().x
	}
	x := new(hosts.Exchange)
	h.fill(x, r)
	x.Reply = func(field, value string) error {
		if field == "Set-Cookie" {
			w.Header().Add(field, value)
		} else {
			w.Header().Set(field, value)
		}
		return nil
	}
	return x
}

// fill reads the request into an exchange.
func (h *Host) fill(x *hosts.Exchange, r *http.Request) {
	x.Context, x.Cookies, x.UserAgent, x.NoCookie = r.Context(), r.Header["Cookie"], r.UserAgent(), cannotTravel(r)
	x.IP, x.HTTPS = h.client(r)
	if h.o.Tenant != nil {
		x.Tenant = h.o.Tenant(r)
	}
	h.manager.Attach(x)
}

// cannotTravel finds requests whose answer may not bring a cookie home.
func cannotTravel(r *http.Request) bool {
	return r.Method == http.MethodHead || r.Header["Upgrade"] != nil ||
		strings.HasPrefix(first(r.Header["Sec-Purpose"]), "prefetch") || first(r.Header["Purpose"]) == "prefetch"
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func unauthorized(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprintf(w, "{\"error\":%q,\"reason\":%q}\n", Explain(err), core.ReasonOf(err))
}

// Explain says in a few words, fit for a visitor, why there is no session.
func Explain(err error) string {
	switch core.ReasonOf(err) {
	case core.ReasonExpired, core.ReasonSuperseded, core.ReasonEnded:
		return "Session expired"
	case core.ReasonIdle:
		return "Session timeout due to inactivity"
	case core.ReasonIP:
		return "Session invalid - IP address changed"
	case core.ReasonUserAgent:
		return "Session invalid - user agent changed"
	case core.ReasonTheft:
		return "Session ended - its cookie was used twice"
	}
	return "Authentication required"
}

func failed(w http.ResponseWriter, _ *http.Request, err error) {
	status, text := http.StatusServiceUnavailable, "The session store cannot be reached. Nothing was changed for certain; try again."
	switch {
	case errors.Is(err, core.ErrEnded), errors.Is(err, core.ErrSuperseded):
		status, text = http.StatusUnauthorized, "The session has ended in the meantime. Nothing of this request was stored."
	case errors.Is(err, core.ErrConflict):
		status, text = http.StatusConflict, "The session was changed by another request. Nothing of this request was stored."
	case errors.Is(err, core.ErrTooLarge):
		status, text = http.StatusRequestEntityTooLarge, "The session is too large. Nothing of this request was stored."
	}
	w.Header().Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, text, status)
}
