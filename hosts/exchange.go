package hosts

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// Exchange is one HTTP request and its answer as the manager sees it. It is
// the request's context, so that the manager's verbs, which take a context,
// find the visitor in it: frameworks need only fill one in and Close it. An
// Exchange belongs to one goroutine.
type Exchange struct {
	context.Context // the request's; Attach fills in a missing one

	Cookies   Cookies    // the request's Cookie header fields: CookieFields
	IP        netip.Addr // of the client, as far as proxies are trusted
	UserAgent string
	Tenant    string
	HTTPS     bool           // the client came by HTTPS, here or at a trusted proxy
	NoCookie  bool           // renewals must not begin here: HEAD, prefetch, upgrade
	CrossSite core.CrossSite // by CrossSiteOf

	// Reply puts a header field on the answer: Set-Cookie beside others of its
	// name, any other field in their place. With Set-Cookie an adapter also removes
	// the fields that CDNs obey before Cache-Control: see nethttp.NoStore. It fails when the header was sent
	// already. A nil Reply means that there is no answer to put it on.
	Reply func(field, value string) error

	// Updates are the functions of the session's updates. The exchange's commit
	// uses and clears them.
	Updates Updates
	// Guard is held by the manager's verbs that are given the exchange as their
	// context, while they use its session. A host whose session is safe for
	// concurrent use gives the lock of that; nil is for one goroutine.
	Guard Guard

	manager *Manager
	current *core.Session // the visitor's, with what this request did to it
	created *core.Session // by Create; the visitor's once SetCookie has set its cookie
	refused error         // why there was none to resume
	ended   []core.ID     // the visitor's, by this request
	owed    bool          // a secret was made and no cookie set
	barred  *barred       // what a login may open
}

// Guard is the lock of a request's session.
type Guard interface {
	sync.Locker
	// Outside runs what calls the functions of updates, during a commit, without
	// the lock; or returns why they must not run.
	Outside(run func() error) error
}

func (x *Exchange) lock() (unlock func()) {
	if x == nil || x.Guard == nil {
		return func() {}
	}
	x.Guard.Lock()
	return x.Guard.Unlock
}

// own returns the exchange's stored session, if it is the one named.
func (x *Exchange) own(id core.ID) *core.Session {
	if x == nil || x.current == nil || x.current.ID() != id || x.current.State() != core.StateActive {
		return nil
	}
	return x.current
}

// readOwn reads a value of the exchange's own session, if id names it.
func (x *Exchange) readOwn(id core.ID, name string) (raw []byte, ok, own bool) {
	defer x.lock()()
	c := x.own(id)
	if c == nil {
		return nil, false, false
	}
	raw, ok = c.Read(name)
	return raw, ok, true
}

// gone makes the visitor one without a session: that of id has ended.
func (x *Exchange) gone(id core.ID) {
	if x.created != nil {
		x.created.End() // so that it is never stored
	}
	x.ended = append(x.ended, id)
	x.current, x.created, x.owed, x.refused = nil, nil, false, core.ErrEnded
}

// hasEnded reports whether this request has ended a session of its visitor.
func (x *Exchange) hasEnded(id core.ID) bool { return x != nil && slices.Contains(x.ended, id) }

// CrossSiteOf tells from a request's method and its header fields Sec-Fetch-Site,
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

// ExchangeKey is the key under which a host's request context answers with the
// request's *Exchange, so that the verbs are confined to the visitor's tenant
// also when a handler passes them its context alone.
type ExchangeKey struct{}

// String shows nothing of the request, so that no cookie is ever printed.
func (x *Exchange) String() string { return "session exchange" }

// GoString is String, for %#v.
func (x *Exchange) GoString() string { return x.String() }

// MarshalText is String, for JSON and logs.
func (x *Exchange) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// Value finds the Exchange itself, and else asks the request's context.
func (x *Exchange) Value(key any) any {
	if key == (ExchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// ExchangeFrom returns the Exchange that a context is or descends from, or nil.
func ExchangeFrom(ctx context.Context) *Exchange {
	x, _ := ctx.Value(ExchangeKey{}).(*Exchange)
	return x
}

// Attach makes m the exchange's manager, as Manager returns it.
func (m *Manager) Attach(x *Exchange) *Exchange {
	if x.Context == nil {
		x.Context = context.Background()
	}
	x.manager = m
	return x
}

// Manager returns the manager that the exchange was attached to.
func (x *Exchange) Manager() *Manager { return x.manager }

// Current returns the visitor's session with what the request has done to it so
// far; nil until Resume, New or a verb has found or begun one.
func (x *Exchange) Current() *core.Session { return x.current }

// Refusal tells why the visitor had no session to resume; nil if they had one,
// or were not asked for it.
func (x *Exchange) Refusal() error { return x.refused }

// Close ends the exchange. A session that was saved under a new secret whose
// cookie was never set is reported: the visitor has lost it.
func (x *Exchange) Close() {
	if x.owed && x.manager != nil && x.created != nil {
		x.owed = false
		x.manager.events.warn("session was saved but its cookie was not set; call SetCookie before the answer is written",
			"session", x.created.ID().String())
	}
}

func (x *Exchange) request() core.Request {
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

// requestOf describes who calls: the visitor of an exchange, or a program that
// acts for no tenant in particular.
func requestOf(ctx context.Context) (core.Request, *Exchange) {
	if x := ExchangeFrom(ctx); x != nil {
		return x.request(), x
	}
	return core.Request{AnyTenant: true}, nil
}

// Resume finds the visitor's session: it opens the cookies, asks the store for
// at most two candidates and returns the first that is live. A session whose
// cookie was stolen, or whose binding is broken, is ended. The error is the
// refusal of the newest (none of them is a failure), or wraps ErrUnavailable.
func (m *Manager) Resume(x *Exchange) (*core.Session, error) {
	tickets, err := m.machine.Identify(x.Cookies.Fields(), x.Tenant, m.now())
	if err != nil {
		x.refused = err
		m.refused(x, core.Record{}, err)
		return nil, err
	}
	var refusal error
	ended := false
	for i := range tickets[:min(len(tickets), core.MaxCandidates)] {
		s, err := m.resume(x, tickets[i])
		if err == nil {
			x.current, x.refused = s, nil
			return s, nil
		}
		var r *core.Refusal
		if !errors.As(err, &r) {
			return nil, err
		}
		if refusal == nil {
			refusal = err
		}
		ended = ended || breach(err)
	}
	if ended && x.Reply != nil { // this request ended what the cookie is of
		_ = m.reply(x, m.machine.ClearCookie(x.HTTPS)) // too late for the header: the cookie opens nothing anyway
	}
	x.refused = refusal
	return nil, refusal
}

func (m *Manager) resume(x *Exchange, t core.Ticket) (*core.Session, error) {
	r, err := m.load(x, t.ID)
	if err != nil {
		m.refused(x, core.Record{ID: t.ID}, err)
		return nil, err
	}
	s, err := m.machine.Resume(t, r, x.request(), m.now())
	if err != nil {
		m.refused(x, r, err)
		if breach(err) {
			return nil, m.endBreached(x, &r, err)
		}
		if x.barred == nil && errors.Is(err, core.ErrIPFamily) {
			x.barred = &barred{t, r}
		}
		return nil, err
	}
	if m.events.wanted(EventResumed) {
		m.tell(x, EventResumed, s)
	}
	return s, nil
}

// breach tells a stolen cookie or a broken binding: the session must end.
func breach(err error) bool {
	return errors.Is(err, core.ErrTheft) || errors.Is(err, core.ErrIPChanged) || errors.Is(err, core.ErrUserAgentChanged)
}

func (m *Manager) endBreached(x *Exchange, r *core.Record, why error) error {
	ctx, cancel := m.lasting(x)
	defer cancel()
	if err := m.remove(ctx, r.ID); err != nil {
		return err
	}
	m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonOf(why), ID: r.ID, Tenant: r.Tenant, User: r.User})
	return why
}

func (m *Manager) refused(x *Exchange, r core.Record, err error) {
	reason := core.ReasonOf(err)
	if reason == core.ReasonNone || !m.events.wanted(EventRefused) {
		return
	}
	m.emit(x, Event{Kind: EventRefused, Reason: reason, ID: r.ID, Tenant: x.Tenant, User: r.User, Err: err})
}

// tell emits an event of a session.
func (m *Manager) tell(x *Exchange, k EventKind, s *core.Session) {
	m.emit(x, Event{Kind: k, ID: s.ID(), Tenant: s.Tenant(), User: s.User()})
}

// emit hands an event out with the time and, where there is an exchange, with
// whose request it was.
func (m *Manager) emit(x *Exchange, ev Event) {
	ev.At = m.now()
	if x != nil {
		ev.IP, ev.UserAgent = addressText(addressBytes(x.IP)), x.UserAgent
	}
	m.events.emit(ev)
}

// Commit stores what a session of the exchange did and then sets its cookie.
// It returns the session as it is afterwards; s is spent.
func (m *Manager) Commit(x *Exchange, s *core.Session) (*core.Session, error) {
	x.Updates.guard = x.Guard
	e, err := m.commit(x, s, &x.Updates)
	if err != nil {
		m.conflicted(x, s, err)
		return nil, err
	}
	m.tellDeeds(x, &e)
	x.current = e.Next
	if x.Reply == nil {
		return e.Next, nil
	}
	return e.Next, m.reply(x, e.Cookies)
}

// conflicted emits the event of a commit that was refused for a conflict.
func (m *Manager) conflicted(x *Exchange, s *core.Session, err error) {
	if c, ok := errors.AsType[*core.ConflictError](err); ok {
		m.emit(x, Event{Kind: EventConflict, ID: s.ID(), Tenant: s.Tenant(), User: s.User(), Names: []string{c.Name}, Err: err})
	}
}

// tellDeeds emits the events of a commit; x may be nil.
func (m *Manager) tellDeeds(x *Exchange, e *core.Effects) {
	if e.Warn {
		m.events.warn("session has grown large; keep large things elsewhere and their IDs here",
			"session", e.Next.ID().String(), "bytes", e.Size, "limit", m.machine.Policy().SessionSize)
	}
	if len(e.Dropped) > 0 {
		m.emit(x, Event{Kind: EventConflict, ID: e.Next.ID(), Tenant: e.Next.Tenant(), User: e.Next.User(), Names: e.Dropped,
			Err: &core.ConflictError{Name: e.Dropped[0]}})
	}
	if !e.Delete.IsZero() && m.events.wanted(EventEnded) {
		ended := Event{Kind: EventEnded, Reason: core.ReasonSuperseded, ID: e.Delete, Tenant: e.Next.Tenant()}
		if e.Did&core.DidEnd != 0 { // else a login replaced another user's
			ended.Reason, ended.User = core.ReasonEnded, e.Next.User()
		}
		m.emit(x, ended)
	}
	for _, d := range []struct {
		deed core.Deed
		kind EventKind
	}{
		{core.DidCreate, EventCreated}, {core.DidLogin, EventLogin}, {core.DidRenew, EventRenewed},
		{core.DidRefresh, EventRefreshed},
	} {
		if e.Did&d.deed != 0 && m.events.wanted(d.kind) {
			m.tell(x, d.kind, e.Next)
		}
	}
}

// Lost reports that changes could not be stored when it was too late to tell
// the visitor: hosts call it for what was done after the answer had begun.
func (m *Manager) Lost(id core.ID, err error) {
	m.events.warn("changes made after the answer had begun are not stored", "session", id.String(), "error", err)
}

// Failed logs that a request got an error page by a fault of the program, such
// as a missing middleware. Failures of the store are reported by whoever meets
// them: see EventFailed.
func (m *Manager) Failed(err error) {
	if !isStoreFailure(err) {
		m.events.logger.Error("sessions: a request got an error page by a fault of the program", "error", err)
	}
}
