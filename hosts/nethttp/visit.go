package nethttp

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Errors of a Visit.
var (
	// ErrHeadersSent: it needs a cookie, and the answer has begun without it.
	ErrHeadersSent = errors.New("session cookie can no longer be set: the answer has begun; sign in, renew and begin sessions before writing")
	// ErrCommitted: the request is over, and what changes now is stored nowhere.
	ErrCommitted = errors.New("session was committed and its request is over: the change is not stored")
)

// Visit is one request's hold on its session. Values are kept encoded and are
// decoded one by one. It is safe for concurrent use, also by a handler that
// goes on after its time is up: from then on changes fail, and nothing panics.
//
// What is done with it is stored before the first byte of the answer, and
// changes of values also once more when the handler returns. When storing
// fails before the first byte, the error page is sent and every later change
// returns the same error.
type Visit struct {
	round   *round
	x       hosts.Exchange
	s       *core.Session // nil until loaded
	err     error         // why it could not be loaded
	refusal error         // why the visitor has no session, if there is a reason
	firm    bool          // it has a login, a renewal or a refresh, which need a cookie
	fields  **[]field     // of the answer's header, until it is sent
	vary    [1]string     // memory of the answer's Vary field
	dead    error         // the error page was sent in place of the answer; set before sent
}

// String names the session and shows nothing of its cookie or its values, so
// that a Visit may be printed.
func (v *Visit) String() string {
	if id := v.ID(); !id.IsZero() {
		return "session " + id.String()
	}
	return "session that is not stored"
}

// load finds the visitor's session once, or begins one. A failure is kept too,
// unless it was met under a context that had ended.
func (v *Visit) load(ctx context.Context) error {
	if v.s != nil || v.err != nil && v.x.Err() == nil {
		return v.err
	}
	if c := v.x.Current(); c != nil && c.State() == core.StateActive {
		v.s, v.err = c, nil // of a sign-in by the manager: the request's cookies are of before it
		return nil
	}
	m := v.round.host.manager
	v.x.Context = ctx
	v.x.NoCookie = v.x.NoCookie || v.round.sent.Load()
	v.s, v.err = m.Resume(&v.x)
	if v.err == nil {
		return nil
	}
	var refusal *core.Refusal // costs memory, which a visitor with a session is spared
	if errors.As(v.err, &refusal) {
		v.s, v.refusal, v.err = m.New(&v.x), v.err, nil
	}
	return v.err
}

// Refusal tells why the visitor had no session to resume: a refusal of the
// core, core.ErrNoCookie for a first visit; nil when there was one.
func (v *Visit) Refusal() error {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	return v.refusal
}

// view runs f on the session for reading.
func view[T any](v *Visit, f func(*core.Session) T) (out T) {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	if v.s == nil {
		return out
	}
	v.follow()
	return f(v.s)
}

// ID returns the session's ID; zero while it is new.
func (v *Visit) ID() core.ID { return view(v, (*core.Session).ID) }

// User returns who is signed in, or nothing.
func (v *Visit) User() string { return view(v, (*core.Session).User) }

// Tenant returns the tenant of the session.
func (v *Visit) Tenant() string { return view(v, (*core.Session).Tenant) }

// Stored reports whether there is a live session in the store.
func (v *Visit) Stored() bool {
	return view(v, func(s *core.Session) bool { return s.State() == core.StateActive })
}

// Names returns the names of all values.
func (v *Visit) Names() []string { return view(v, (*core.Session).Names) }

// Get returns a value as it was put: the same Go type. hosts.ErrNoValue means
// that there is none of that name.
func (v *Visit) Get(name string) (any, error) {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	if v.s == nil {
		return nil, v.err
	}
	v.follow()
	raw, ok := v.s.Value(name)
	if !ok {
		return nil, hosts.ErrNoValue
	}
	return core.DecodeValue(raw)
}

// Put keeps a value of one of the types that core.AppendValue lists; hosts.Put
// does structs.
func (v *Visit) Put(name string, value any) error {
	raw, err := hosts.EncodeValue(name, value)
	if err != nil {
		return err
	}
	return v.change(func(s *core.Session) error { return s.SetValue(name, raw) })
}

// Delete removes a value; a missing one is no error.
func (v *Visit) Delete(name string) error {
	return v.change(func(s *core.Session) error { return s.DeleteValue(name) })
}

// Clear removes all values; the session lives on.
func (v *Visit) Clear() error { return v.change((*core.Session).ClearValues) }

// change does something that a later commit can store.
func (v *Visit) change(f func(*core.Session) error) error {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	if err := v.closed(false); err != nil {
		return err
	}
	return f(v.s)
}

// firmly does something that needs a cookie.
func (v *Visit) firmly(f func(*core.Session) error) error {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	if err := v.closed(true); err != nil {
		return err
	}
	err := f(v.s)
	v.firm = v.firm || err == nil
	return err
}

// closed tells why nothing can be changed any more, if so.
func (v *Visit) closed(firmly bool) error {
	rd := v.round
	v.follow()
	switch {
	case v.dead != nil:
		return v.dead
	case v.s == nil:
		return v.err
	case rd.over.Load():
		return ErrCommitted
	case rd.sent.Load() && (firmly || v.s.State() == core.StateNew):
		return ErrHeadersSent
	}
	return nil
}

// Login signs user in; see core.Session.Login. A lifetime of zero is the
// configured one; 30 days is a usual "remember me".
func (v *Visit) Login(user string, lifetime time.Duration) error {
	return v.firmly(func(s *core.Session) error { return s.Login(user, core.Milliseconds(lifetime)) })
}

// Renew gives the session a new secret, at a change of privilege.
func (v *Visit) Renew() error { return v.firmly((*core.Session).Renew) }

// Refresh moves the deadline, and the cookie's, to a whole lifetime from now.
// A visitor without a session gets none by it.
func (v *Visit) Refresh() error { return v.firmly((*core.Session).Refresh) }

// Destroy ends the session at once and for good, in the store and in the
// browser, whatever happens to the request afterwards. The visitor goes on
// with a new session that is not stored. After the answer has begun, and also
// after its end, it still ends the session; the browser then keeps a cookie
// that opens nothing. An error means that the store could not be reached: the
// session lives, and it is tried once more before the first byte.
func (v *Visit) Destroy() error {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	if v.s == nil {
		return v.err
	}
	v.follow()
	v.s.End()
	m := v.round.host.manager
	if _, err := m.Commit(&v.x, v.s); err != nil && !errors.Is(err, ErrHeadersSent) {
		return err
	}
	v.s, v.refusal = m.New(&v.x), core.ErrEnded
	return nil
}

// commit stores what was done so far.
func (v *Visit) commit() error {
	v.follow()
	if v.s == nil {
		return nil // not asked for by Session, or the store was down, which the handler knows
	}
	next, err := v.round.host.manager.Commit(&v.x, v.s)
	if err == nil {
		v.s = next
	}
	return err
}

// needsCookie reports whether a commit is of no use without a cookie.
func (v *Visit) needsCookie() bool {
	if v.s != nil && v.s.State() == core.StateNew {
		return v.s.User() != "" || v.s.Len() > 0
	}
	return v.firm
}

// close stores what was done after the first byte and ends the visit.
func (v *Visit) close() {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	v.follow()
	if v.s != nil && v.s.Changed() {
		m := v.round.host.manager
		v.x.Reply = nil // too late for a cookie
		if _, err := m.Commit(&v.x, v.s); err != nil {
			m.Lost(v.s.ID(), err)
		}
	}
	v.x.Close()
}
