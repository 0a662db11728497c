package hosts

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// Request is one HTTP request and its answer as the manager sees it. It is
// the request's context, so that the manager's methods, which take a context,
// find the visitor in it: frameworks need only fill one in and Close it. A
// Request belongs to one goroutine.
type Request struct {
	context.Context // the request's; Attach fills in a missing one

	Cookies   Cookies    // the request's Cookie header fields: CookieFields
	IP        netip.Addr // of the client, as far as proxies are trusted
	UserAgent string
	Tenant    string
	HTTPS     bool // the client came by HTTPS, here or at a trusted proxy
	NoCookie  bool // renewals must not begin here: HEAD, prefetch, upgrade
	Unsafe    bool // the method is to change something (RFC 9110, section 9.2.1): values are read from the store, whatever is cached
	// Quiet says that no person is behind the request, but a poll or a prefetch: it notes
	// no use of the session, renews nothing and sets no cookie. Values that it changes are
	// stored all the same. A request that logs in, renews or refreshes is not quiet.
	Quiet     bool
	CrossSite core.CrossSite // by CrossSiteOf
	// Unbelieved says that a forwarding field calls this HTTPS, but came from an
	// address that is no trusted proxy. It is for a warning alone.
	Unbelieved bool

	// Reply puts a header field on the answer: Set-Cookie beside others of its
	// name, any other field in their place. With Set-Cookie an adapter also removes
	// the fields that CDNs obey before Cache-Control: see nethttp.NoStore. It fails when the header was sent
	// already. A nil Reply means that there is no answer to put it on.
	Reply func(field, value string) error

	// Arriving runs once, in the first Resume and before that reads the cookies,
	// which it may replace: package migrate brings in the session of another
	// library there. Its error is that of Resume, and then the next one runs it again.
	Arriving func(*Request) error

	// Settles promises that the host calls Manager.Settle before the first byte of
	// the answer, without Guard: a logout then waits there, once for all that the
	// request ends. Else each waits by itself.
	Settles bool

	// Updates are the functions of the session's updates. The request's commit
	// uses and clears them.
	Updates Updates
	// Guard is locked by the manager's methods that are given the request as their
	// context, while they use its session. A host whose session is safe for
	// concurrent use sets the lock of that session; nil is for one goroutine.
	Guard Guard

	manager *Manager
	current *core.Session // the visitor's, with what this request did to it
	created *core.Session // by Create; the visitor's once SetCookie has set its cookie
	refused error         // why there was none to resume
	ended   []core.ID     // the visitor's, by this request
	owed    bool          // a secret was made and no cookie set
	replied bool          // the answer has a cookie
	barred  *barred       // what a login may open
	again   bool          // who signs in was signed in already, in this session
	cached  bool          // the current session is of a cache, and may be as old as feed.Lease
	asks    bool          // the next Resume asks the store, whatever is cached
	waiting waiting
}

// Guard is the lock of a request's session.
type Guard interface {
	sync.Locker
	// Outside runs what calls the functions of updates, during a commit, without
	// the lock; or returns why they must not run.
	Outside(run func() error) error
}

func (x *Request) lock() (unlock func()) {
	if x == nil || x.Guard == nil {
		return func() {}
	}
	x.Guard.Lock()
	return x.Guard.Unlock
}

// own returns the request's stored session, if it is the one named.
func (x *Request) own(id core.ID) *core.Session {
	if x == nil || x.current == nil || x.current.ID() != id || x.current.State() != core.StateActive {
		return nil
	}
	return x.current
}

// readOwn reads a value of the request's own session, if id names it.
func (x *Request) readOwn(id core.ID, name string) (raw []byte, ok, own bool) {
	defer x.lock()()
	c := x.own(id)
	if c == nil {
		return nil, false, false
	}
	raw, ok = c.Read(name)
	return raw, ok, true
}

// gone makes the visitor one without a session: that of id has ended.
func (x *Request) gone(id core.ID) {
	if x.created != nil {
		x.created.End() // so that it is never stored
	}
	x.ended = append(x.ended, id)
	x.Updates.Clear()
	x.current, x.created, x.owed, x.refused = nil, nil, false, core.ErrEnded
}

// hasEnded reports whether this request has ended a session of its visitor.
func (x *Request) hasEnded(id core.ID) bool { return x != nil && slices.Contains(x.ended, id) }

// CrossSiteOf reports, from a request's method and its header fields Sec-Fetch-Site,
// Sec-Fetch-Mode and Sec-Fetch-Dest (W3C Fetch Metadata) in which requests from
// other sites a browser leaves out cookies with SameSite.
func CrossSiteOf(method, site, mode, dest string) core.CrossSite {
	switch {
	case site != "cross-site":
		return core.CrossSiteNone
	case mode == "navigate" && dest == "document" && (method == "GET" || method == "HEAD"):
		return core.CrossSiteNavigation
	}
	return core.CrossSiteOther
}

// RequestKey is the key under which a request's context answers with the
// request's *Request, so that the verbs are confined to the visitor's tenant
// also when a handler passes them its context alone.
type RequestKey struct{}

// String shows nothing of the request, so that no cookie is ever printed.
func (x *Request) String() string { return "session request" }

// GoString is String, for %#v.
func (x *Request) GoString() string { return x.String() }

// MarshalText is String, for JSON and logs.
func (x *Request) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// Value finds the Request itself, and else asks the request's context.
func (x *Request) Value(key any) any {
	if key == (RequestKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// RequestFrom returns the Request that a context is or descends from, or nil.
func RequestFrom(ctx context.Context) *Request {
	x, _ := ctx.Value(RequestKey{}).(*Request)
	return x
}

// Attach makes m the request's manager, as Manager returns it.
func (m *Manager) Attach(x *Request) *Request {
	if x.Context == nil {
		x.Context = context.Background()
	}
	x.manager = m
	return x
}

// Manager returns the manager that the request was attached to.
func (x *Request) Manager() *Manager { return x.manager }

// Current returns the visitor's session with what the request has done to it so
// far; nil until Resume, New or another method has found or begun one.
func (x *Request) Current() *core.Session { return x.current }

// Refusal returns why the visitor had no session to resume; nil if they had one,
// or were not asked for it.
func (x *Request) Refusal() error { return x.refused }

// Close ends the request. A session that was saved under a new secret whose
// cookie was never set is reported: the visitor has lost it.
func (x *Request) Close() {
	if x.owed && x.manager != nil && x.created != nil {
		x.owed = false
		x.manager.events.warn("session was saved but its cookie was not set; call SetCookie before the answer is written",
			"session", x.created.ID().String())
	}
}

func (x *Request) request() core.Request {
	return core.Request{Tenant: x.Tenant, IP: addressBytes(x.IP), UserAgent: plainAgent(x.UserAgent), NoCookie: x.NoCookie, HTTPS: x.HTTPS}
}

// plainAgent has a "?" for each run of bytes that are not ASCII: runtimes at the
// edge decode these in one way or another, and all must keep and compare the same.
func plainAgent(s string) string {
	i := strings.IndexFunc(s, notASCII)
	if i < 0 {
		return s
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexFunc(s, notASCII) {
		b.WriteString(s[:i])
		b.WriteByte('?')
		s = strings.TrimLeftFunc(s[i:], notASCII)
	}
	b.WriteString(s)
	return b.String()
}

func notASCII(r rune) bool { return r > 0x7f } // that of a byte that is no UTF-8, too

// requestOf describes who calls: the visitor of a request, or a program that
// acts for no tenant in particular.
func requestOf(ctx context.Context) (core.Request, *Request) {
	if x := RequestFrom(ctx); x != nil {
		return x.request(), x
	}
	return core.Request{AnyTenant: true}, nil
}
