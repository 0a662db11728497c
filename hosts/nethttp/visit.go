package nethttp

import (
	"errors"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Visit is one request's hold on its session. Values are kept encoded and are
// decoded one by one. It is safe for concurrent use, also by a handler that
// goes on after its time is up: from then on changes fail, and nothing panics.
type Visit struct {
	round   *round
	mu      sync.Mutex
	x       hosts.Exchange
	s       *core.Session // nil until loaded
	err     error         // why it could not be loaded
	refusal error         // why the visitor has no session, if there is a reason
	used    bool          // the answer depends on the cookie
	firm    bool          // it has a login, a renewal or a beginning, which need a cookie
	cookies []string      // ours on the answer
	dead    error         // the error page was sent in place of the answer
	vary    [1]string     // memory of the answer's Vary field
}

// load finds the visitor's session once, or begins one.
func (v *Visit) load() error {
	if v.s != nil || v.err != nil {
		return v.err
	}
	v.used = true
	m := v.round.host.manager
	s, err := m.Resume(&v.x)
	if err == nil {
		v.s = s
		return nil
	}
	var refusal *core.Refusal
	if errors.As(err, &refusal) {
		v.s, v.refusal = m.New(&v.x), err
	} else {
		v.err = err
	}
	return v.err
}

// Refusal tells why the visitor had no session to resume: a refusal of the
// core, core.ErrNoCookie for a first visit; nil when there was one.
func (v *Visit) Refusal() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.refusal
}

// view runs f on the session for reading.
func view[T any](v *Visit, f func(*core.Session) T) (out T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.s == nil {
		return out
	}
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
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.s == nil {
		return nil, v.err
	}
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
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.s == nil:
		return v.err
	case v.round.over.Load():
		return ErrCommitted
	case v.round.sent.Load() && needsCookie(v.s):
		return ErrHeadersSent
	}
	return f(v.s)
}

// firmly does something that needs a cookie.
func (v *Visit) firmly(f func(*core.Session) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.s == nil:
		return v.err
	case v.round.over.Load():
		return ErrCommitted
	case v.round.sent.Load():
		return ErrHeadersSent
	}
	err := f(v.s)
	v.firm = v.firm || err == nil
	return err
}

// Login signs user in; see core.Session.Login. A lifetime of zero is the
// configured one; 30 days is a usual "remember me".
func (v *Visit) Login(user string, lifetime time.Duration) error {
	return v.firmly(func(s *core.Session) error { return s.Login(user, core.Time(lifetime.Milliseconds())) })
}

// Renew gives the session a new secret, at a change of privilege.
func (v *Visit) Renew() error { return v.firmly((*core.Session).Renew) }

// Refresh moves the deadline, and the cookie's, to a whole lifetime from now.
// A visitor without a session gets none by it.
func (v *Visit) Refresh() error { return v.firmly((*core.Session).Refresh) }

// Destroy ends the session at once and for good, in the store and in the
// browser, whatever happens to the request afterwards. The visitor goes on
// with a new session that is not stored. After the answer has begun the
// browser keeps the cookie, which opens nothing.
func (v *Visit) Destroy() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.s == nil {
		return v.err
	}
	if v.round.over.Load() {
		return ErrCommitted
	}
	v.s.End()
	m := v.round.host.manager
	if _, err := m.Commit(&v.x, v.s); err != nil && !errors.Is(err, ErrHeadersSent) {
		return err
	}
	v.s, v.firm, v.refusal = m.New(&v.x), false, core.ErrEnded
	return nil
}

// commit stores what was done so far.
func (v *Visit) commit(hijack bool) error {
	if v.s == nil {
		return nil // never asked for, or the store was down, which the handler knows
	}
	if hijack && (v.firm || needsCookie(v.s) && v.s.Len() > 0) {
		return ErrHeadersSent
	}
	if hijack {
		v.x.Reply = nil
	}
	next, err := v.round.host.manager.Commit(&v.x, v.s)
	if err != nil {
		return err
	}
	v.s, v.firm = next, false
	return nil
}

// close stores what was done after the first byte and ends the visit.
func (v *Visit) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.s != nil && v.s.Changed() {
		v.x.Reply = nil // too late for a cookie
		if _, err := v.round.host.manager.Commit(&v.x, v.s); err != nil {
			v.round.host.manager.Lost(v.s.ID(), err)
		}
	}
	v.x.Close()
}
