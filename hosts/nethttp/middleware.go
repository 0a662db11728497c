package nethttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

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
	// TrustUnixSocket makes every peer of a Unix socket one of them.
	// Such a peer has no address.
	TrustUnixSocket bool
	// ForwardedHeader is the one that the proxies set: "X-Forwarded-For"
	// (the default, with X-Forwarded-Proto) or "Forwarded" (RFC 7239). Only
	// one, since a client can send the other through.
	ForwardedHeader string

	// LoginPath is where Require sends people who are not signed in: a path of
	// this origin, such as "/login". The page gets two parameters, which ReturnTo
	// and LoginReason read: see ToLogin. Scripts get Unauthorized.
	LoginPath string

	// ConfirmPath is where RequireFresh and RequireMethods send people to prove once more
	// who they are, as LoginPath is for Require: its page calls Session.Confirm.
	ConfirmPath string

	// Development answers on loopback addresses alone, and no proxy: everybody else
	// gets a 500 with ErrDevelopment. It is for programs that weaken their cookies
	// while they are developed.
	Development bool

	// CloseEnded ends what goes on for long when the session of the request ends: an
	// answer that is flushed, such as Server-Sent Events (its context is cancelled with
	// ErrSessionEnded, and writing fails), and a connection that was hijacked, such as
	// a WebSocket, which is closed. It concerns handlers that ask for the session. It
	// needs a store with a feed (feed.Source), and is refused without.
	CloseEnded bool

	// ExtendLifetime has a POST to StatusHandler move the deadline to a whole lifetime
	// from then, as Session.Refresh does: never past Config.MaxLifetime. Without it the
	// POST is a use of the session, which puts the idle timeout off and nothing else.
	ExtendLifetime bool

	// CrossOrigin says which other origins may POST to StatusHandler [none]: the one that the
	// program's forms are wrapped in, with its trusted origins and exceptions. Its deny
	// handler is not called.
	CrossOrigin *http.CrossOriginProtection

	// Unauthorized answers for Require when nobody is signed in: err is the
	// refusal, or ErrNotSignedIn. For RequireFresh and RequireMethods it also answers
	// users who are signed in and have to confirm who they are: err is then
	// core.ErrNotFresh or core.ErrMethodsMissing. The default is 401 with a JSON object
	// {"error","reason"}.
	Unauthorized func(w http.ResponseWriter, r *http.Request, err error)
	// Failed answers when a session could not be loaded or stored: nothing of
	// the handler's answer is sent. It must write a status. The default is
	// plain text with the status that Failure gives.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
}

// Middleware gives the handlers of a net/http server their sessions. It is safe for
// concurrent use.
type Middleware struct {
	manager  *hosts.Manager
	o        Options
	bypassed bypassLog
}

// New returns a Middleware for a manager.
func New(m *hosts.Manager, o Options) (*Middleware, error) {
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
	o.TrustedProxies = slices.Clone(o.TrustedProxies)
	for _, p := range o.TrustedProxies {
		if !p.IsValid() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("nethttp: %w", &hosts.ConfigError{Field: "TrustedProxies", Value: p.String(), Allowed: "address prefixes such as 10.0.0.0/8 and fd00::/8; IPv4 as such, not in IPv6"})
		}
	}
	if err := errors.Join(checkPage("LoginPath", o.LoginPath), checkPage("ConfirmPath", o.ConfirmPath)); err != nil {
		return nil, err
	}
	if o.CloseEnded {
		if _, err := hosts.FeedOf(m.Store()); err != nil {
			return nil, fmt.Errorf("nethttp: Options.CloseEnded: %w", err)
		}
	}
	if o.CrossOrigin == nil {
		o.CrossOrigin = http.NewCrossOriginProtection()
	}
	if o.Unauthorized == nil {
		o.Unauthorized = Unauthorized
	}
	if o.Failed == nil {
		o.Failed = failed
	}
	return &Middleware{manager: m, o: o}, nil
}

// Manager returns the manager that the host was made with.
func (h *Middleware) Manager() *hosts.Manager { return h.manager }

// ClosesEnded reports Options.CloseEnded.
func (h *Middleware) ClosesEnded() bool { return h.o.CloseEnded }

// Close closes the manager: see hosts.Manager.Close. The store is the caller's.
func (h *Middleware) Close() error { return h.manager.Close() }

// Handler gives next its sessions: [From] finds them. A session is loaded
// when it is first asked for, and what changed is stored before the first byte
// of the answer; when that fails, an error page is sent in place of the
// handler's answer and without its header fields. A handler that panics stores
// nothing, unless the panic is recovered inside of next. A second Handler of
// the same manager on the same request does nothing.
func (h *Middleware) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requestOf(r.Context(), h.manager) != nil {
			next.ServeHTTP(w, r)
			return
		}
		if err := h.refused(r); err != nil {
			h.fail(w, r, err)
			return
		}
		rq := newRequest(h, w, r)
		defer rq.giveBack()
		defer rq.end()
		next.ServeHTTP((*writer)(rq), rq.inner)
		rq.finish() // not reached by a panic
	})
}

// ErrSameCookie means that two middlewares of different managers, one within the
// other, use one cookie: each would take the other's for a forgery.
var ErrSameCookie = errors.New("two session managers on this request use one cookie name: give one of them another Config.CookieName, or use one manager")

// refused finds what is set up in a way that cannot work.
func (h *Middleware) refused(r *http.Request) error {
	if h.o.Development && !local(r) {
		return ErrDevelopment
	}
	outer := requestOf(r.Context(), nil)
	if outer == nil {
		return nil
	}
	a, b := h.manager.Policy(), outer.middleware.manager.Policy()
	if a.CookieName == b.CookieName && a.CookiePath == b.CookiePath && a.CookieDomain == b.CookieDomain {
		return ErrSameCookie
	}
	return nil
}

// fail answers a request whose session could not be loaded or stored.
func (h *Middleware) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, _ := Failure(err)
	own, ok := errors.AsType[*StatusError](err)
	switch {
	case errors.Is(err, ErrBypassed): // is logged already
	case status == http.StatusInternalServerError, ok && own.Err != nil && status > http.StatusInternalServerError:
		h.manager.Failed(err)
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, ok && own.Err != nil:
		h.manager.Refused(status, err)
	}
	h.o.Failed(w, r, err)
}

// Request returns the request in the form that the manager's methods take: the one of
// the Handler around it, or a new one, which you close at the end of the request.
func (h *Middleware) Request(w http.ResponseWriter, r *http.Request) *hosts.Request {
	if rq := requestOf(r.Context(), h.manager); rq != nil {
		return &rq.session().x
	}
	x := new(hosts.Request)
	h.fill(x, r, new(hosts.CookieRoom))
	x.Reply = func(field, value string) error {
		if field == "Set-Cookie" {
			w.Header().Add(field, value)
			NoStore(w.Header())
		} else {
			w.Header().Set(field, value)
		}
		return nil
	}
	return x
}

// fill reads an http.Request into a Request, and its cookies into their place.
func (h *Middleware) fill(x *hosts.Request, r *http.Request, room *hosts.CookieRoom) {
	x.Context, x.Cookies, x.UserAgent, x.NoCookie = r.Context(), room.Keep(r.Header["Cookie"]), r.UserAgent(), cannotTravel(r)
	x.Unsafe, x.Quiet = !safe(r.Method), saysQuiet(r)
	x.IP, x.HTTPS = h.client(r)
	x.Unbelieved = !x.HTTPS && saysHTTPS(r) && !h.Trusted(r)
	if site := first(r.Header["Sec-Fetch-Site"]); site != "" {
		x.CrossSite = hosts.CrossSiteOf(r.Method, site, first(r.Header["Sec-Fetch-Mode"]), first(r.Header["Sec-Fetch-Dest"]))
	}
	if h.o.Tenant != nil {
		x.Tenant = h.o.Tenant(r)
	}
	h.manager.Attach(x)
}

// safe finds methods that are not to change anything: RFC 9110, section 9.2.1, and
// QUERY.
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "QUERY":
		return true
	}
	return false
}

// cannotTravel finds requests whose answer may not bring a cookie home.
func cannotTravel(r *http.Request) bool {
	return r.Method == http.MethodHead || r.Header["Upgrade"] != nil || prefetches(r)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
