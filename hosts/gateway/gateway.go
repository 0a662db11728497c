package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Options sets up a Gateway. Middleware is required, and one of Origin and Check.
type Options struct {
	Origin     *url.URL            // http or https; a path in it stands before every request's
	Check      *Check              // answers about requests in place of forwarding them
	Middleware *nethttp.Middleware // finds sessions; its Tenant counts here, too, and its TrustedProxies, which must set X-Forwarded-For, -Host and -Proto

	Rules       []Rule        // [every path needs a user]
	LoginURL    string        // [none: 401] where people without a session are sent: see nethttp.ToLogin
	StripCookie bool          // leaves the session cookie out of what the origin gets
	KeepHost    bool          // hands the visitor's Host on, rather than the origin's
	Timeout     time.Duration // [30 s] until the origin has begun to answer
	BodyTimeout time.Duration // [1 min] for each 32 KiB of a request's body, and for what is less at its end, until the origin has begun to answer; in place of the server's ReadTimeout
	Grace       time.Duration // [30 s] that requests under way have when Serve ends
	Transport   http.RoundTripper
	Metrics     func(*Gateway) http.Handler // [the gateway's figures alone] what answers /metrics: see package hosts/metrics
	Logger      *slog.Logger                // [slog.Default]
}

// Limits of a Gateway.
const (
	DefaultTimeout     = 30 * time.Second
	DefaultBodyTimeout = time.Minute // a phone may be without a network for some of it; 32 KiB in it are 4.4 kbit/s
	DefaultGrace       = 30 * time.Second
	dialTimeout        = 5 * time.Second
	idleTimeout        = 90 * time.Second
	idleConns          = 256
)

// Gateway is an http.Handler. It is safe for concurrent use.
type Gateway struct {
	o      Options
	rules  rules
	login  *url.URL
	cookie string
	notes  notes
	proxy  *httputil.ReverseProxy
	counts counts

	mistake sync.Once // a check that was refused is logged
}

// New returns a Gateway. It refuses a bad option with field, value and what is
// allowed.
func New(o Options) (*Gateway, error) {
	g := &Gateway{o: o}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	policy := o.Middleware.Manager().Policy()
	g.cookie = policy.CookieName
	g.o.Timeout, g.o.Grace = cmp.Or(o.Timeout, DefaultTimeout), cmp.Or(o.Grace, DefaultGrace)
	g.o.BodyTimeout = cmp.Or(o.BodyTimeout, DefaultBodyTimeout)
	if g.o.Logger == nil {
		g.o.Logger = slog.Default()
	}
	g.notes.idle, g.notes.log = policy.IdleTimeout, g.o.Logger
	if o.Check != nil {
		g.o.Check = o.Check.withDefaults()
		return g, nil
	}
	g.proxy = g.newProxy()
	return g, nil
}

func (g *Gateway) check() (err error) {
	o := &g.o
	switch {
	case o.Middleware == nil:
		return &hosts.ConfigError{Field: "Middleware", Value: "nil", Allowed: "what nethttp.New returns"}
	case o.Middleware.ForwardedHeader() != "X-Forwarded-For": // else a visitor's own X-Forwarded-For would be passed on as a proxy's
		return &hosts.ConfigError{Field: "Middleware", Value: "one whose proxies set " + o.Middleware.ForwardedHeader(), Allowed: "one whose proxies set X-Forwarded-For, -Host and -Proto"}
	case o.Check == nil && (o.Origin == nil || o.Origin.Scheme != "http" && o.Origin.Scheme != "https" || o.Origin.Host == "" || o.Origin.User != nil || o.Origin.RawQuery != ""):
		return &hosts.ConfigError{Field: "Origin", Value: shownURL(o.Origin), Allowed: "http://host:port or https://host, without user and query"}
	case o.Timeout < 0:
		return &hosts.ConfigError{Field: "Timeout", Value: o.Timeout.String(), Allowed: "a positive duration"}
	case o.BodyTimeout < 0:
		return &hosts.ConfigError{Field: "BodyTimeout", Value: o.BodyTimeout.String(), Allowed: "a positive duration"}
	case o.Grace < 0:
		return &hosts.ConfigError{Field: "Grace", Value: o.Grace.String(), Allowed: "a positive duration"}
	}
	if o.Check != nil {
		if err := o.Check.check(o); err != nil {
			return err
		}
	}
	if g.rules, err = newRules(o.Rules); err != nil || o.LoginURL == "" {
		return err
	}
	g.login, err = url.Parse(o.LoginURL)
	absolute := err == nil && g.login.Host != "" && (g.login.Scheme == "https" || g.login.Scheme == "http")
	local := err == nil && g.login.Host == "" && g.login.Scheme == "" && nethttp.PlainPath(g.login.Path, "")
	switch {
	case !absolute && !local || g.login.User != nil:
		return &hosts.ConfigError{Field: "LoginURL", Value: o.LoginURL, Allowed: "a path such as /login, or a URL of http or https"}
	case local && g.rules.of(g.login.Path) != Public:
		return &hosts.ConfigError{Field: "LoginURL", Value: o.LoginURL, Allowed: "a path that a rule makes public: else nobody could reach it"}
	}
	return nil
}

// ServeHTTP answers a request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.counts.begin()
	defer g.counts.end()
	if g.o.Check != nil {
		g.answerCheck(w, r)
		return
	}
	r, b := g.limitBody(w, r)
	defer b.end()
	access, ok := g.admit(w, r)
	if !ok {
		return
	}
	trusted := g.o.Middleware.Trusted(r)
	DropClaims(r.Header, trusted)
	DropClaims(r.Trailer, trusted)
	dropUpgrade(r)
	if access == Public {
		g.counts.add(outcomePublic)
		g.forward(w, r)
		return
	}
	g.serve(w, r)
}

// admit returns who may ask for a path. It answers requests that nobody may make.
func (g *Gateway) admit(w http.ResponseWriter, r *http.Request) (_ Access, ok bool) {
	if r.Method == http.MethodConnect || !nethttp.PlainPath(r.URL.Path, r.URL.EscapedPath()) {
		g.counts.add(outcomeBadPath)
		http.Error(w, "This path can be read in more than one way; ask for it plainly.", http.StatusBadRequest)
		return Denied, false
	}
	access := g.rules.of(r.URL.Path)
	if access == Denied {
		g.counts.add(outcomeDenied)
		http.NotFound(w, r)
		return Denied, false
	}
	return access, true
}

// forward hands a request to the origin.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 { // else an answer that begins early waits for the whole request
		_ = http.NewResponseController(w).EnableFullDuplex() // where the server cannot, it waits
	}
	g.proxy.ServeHTTP(w, r)
}

// serve answers a request that needs a user. It sets no cookie: that is the
// origin's, which alone knows its attributes.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	x := *g.o.Middleware.Request(w, r) // a copy: the request's own may be another handler's, too
	x.NoCookie, x.Reply = true, nil
	defer x.Close()
	s := g.signedIn(w, r, &x)
	if s == nil {
		return
	}
	g.counts.add(outcomeSignedIn)
	SetIdentity(r.Header, s)
	inner, end := g.tunnel(w, r, s)
	defer end()
	g.forward(w, g.notes.expect(inner, &x))
}

// signedIn returns the session of a request's user. It answers where there is none,
// and returns nil.
func (g *Gateway) signedIn(w http.ResponseWriter, r *http.Request, x *hosts.Request) *core.Session {
	w.Header().Add("Vary", "Cookie")
	s, err := g.o.Middleware.Manager().Resume(x)
	if err == nil && s.User() == "" {
		err = nethttp.ErrNotSignedIn
	}
	if err != nil {
		g.turnAway(w, r, err)
		return nil
	}
	return s
}

// turnAway answers who is not signed in, or of whom that cannot be found out.
func (g *Gateway) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	if _, refused := errors.AsType[*core.Refusal](err); refused || errors.Is(err, nethttp.ErrNotSignedIn) {
		g.refuse(w, r, err)
		return
	}
	g.counts.add(outcomeStoreFailed)
	g.storeFailed(w, err)
}

func (g *Gateway) storeFailed(w http.ResponseWriter, err error) {
	status, text := nethttp.Failure(err)
	nethttp.NoStore(w.Header())
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	} else {
		g.o.Middleware.Manager().Failed(err)
	}
	http.Error(w, text, status)
}

// refuse answers who is not signed in: people are sent to the login, everybody
// else gets 401.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if g.login != nil && nethttp.ToLogin(w, r, g.login.String(), err) {
		g.counts.add(outcomeToLogin)
		return
	}
	g.counts.add(outcomeUnauthorized)
	nethttp.Unauthorized(w, r, err)
}

// clientGone reports that nobody waits for the answer any more.
func clientGone(r *http.Request, err error) bool {
	return r.Context().Err() != nil && errors.Is(err, r.Context().Err())
}

// shownURL is what a refusal says of a URL: without its user, who may have a
// password.
func shownURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Redacted()
}
