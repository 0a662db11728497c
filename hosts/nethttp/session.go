package nethttp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Errors of a Session.
var (
	// ErrHeadersSent: it needs a cookie, and the answer has begun without it.
	ErrHeadersSent = errors.New("session cookie can no longer be set: the answer has begun; sign in, renew and begin sessions before writing")
	// ErrCommitted: the request is over, and what changes now is stored nowhere.
	ErrCommitted = errors.New("session was committed and its request is over: the change is not stored")
	// ErrUpdating: a function of Update, which runs while the session is stored,
	// must only compute. So it is for others who use the session meanwhile.
	ErrUpdating = errors.New("session is being stored: a function given to Update must not change it or write the answer")

	errLeft = fmt.Errorf("the handler that called Update has timed out, so its function does not run again: %w", core.ErrConflict)
)

// Session is the session as one request has it. Values are kept encoded and are
// decoded one by one. It is safe for concurrent use, also by a handler that
// goes on after its time is up: from then on changes fail, and nothing panics.
//
// What is done with it is stored before the first byte of the answer, and
// changes of values also once more when the handler returns. When storing
// fails before the first byte, the error page is sent and every later change
// returns the same error.
//
// A value that is read with Get and then written with Put or Delete is stored
// only if it still is what was read, or already what is written: otherwise the
// request is refused with a core.ConflictError, as 409. What the handler has done
// elsewhere has happened by then. A value that is judged from another one is not
// covered. Add and Update never conflict.
type Session struct {
	request   *request
	x         hosts.Request
	loaded    bool         // x has the session
	err       error        // why it could not be loaded
	firm      bool         // it has a login, a renewal or a refresh, which need a cookie
	updating  atomic.Bool  // a function of Update runs in a commit, without the lock
	fields    **[]field    // of the answer's header, until it is sent
	vary      [1]string    // memory of the answer's Vary field
	watched   *hosts.Watch // nil: nobody waits for its end
	streaming bool
	dead      error // the error page was sent in place of the answer; set before sent
}

// String names the session and shows nothing of its cookie or its values, so
// that a Session may be printed.
func (v *Session) String() string {
	if id := v.ID(); !id.IsZero() {
		return "session " + id.String()
	}
	return "session that is not stored"
}

// load finds the visitor's session once, or begins one. A failure is kept too,
// unless it was met under a context that had ended.
func (v *Session) load(ctx context.Context) error {
	if v.loaded || v.err != nil && v.x.Err() == nil {
		return v.err
	}
	v.x.Context = ctx
	if v.x.Current() != nil { // of the manager's verbs
		v.loaded, v.err = true, nil
		return nil
	}
	m := v.request.middleware.manager
	v.x.NoCookie = v.x.NoCookie || v.request.sent.Load()
	if _, v.err = m.Resume(&v.x); v.err == nil {
		v.loaded = true
		return nil
	}
	var refusal *core.Refusal // costs memory, which a visitor with a session is spared
	if errors.As(v.err, &refusal) {
		m.New(&v.x)
		v.loaded, v.err = true, nil
	}
	return v.err
}

// session returns the session, or a new one where a verb of the manager has
// ended it; nil until it is loaded.
func (v *Session) current() *core.Session {
	if !v.loaded {
		return nil
	}
	if s := v.x.Current(); s != nil {
		return s
	}
	return v.request.middleware.manager.New(&v.x)
}

// Refusal returns why the visitor had no session to resume: a refusal of the
// core, core.ErrNoCookie for a first visit; nil when there was one. After
// core.ErrCrossSite, or core.ErrSuperseded and core.ErrCredentialsChanged for a minute, only Login begins a
// session: other changes are refused with it when they are to be stored.
func (v *Session) Refusal() error {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if s := v.current(); s != nil && s.State() == core.StateNew {
		if err := s.Barred(); err != nil && !errors.Is(err, core.ErrSuperseded) { // else the refusal says which
			return err
		}
	}
	return v.x.Refusal()
}

// view runs f on the session for reading.
func view[T any](v *Session, f func(*core.Session) T) (out T) {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if s := v.current(); s != nil {
		return f(s)
	}
	return out
}

// ID returns the session's ID; zero while it is new.
func (v *Session) ID() core.ID { return view(v, (*core.Session).ID) }

// User returns who is signed in, or nothing.
func (v *Session) User() string { return view(v, (*core.Session).User) }

// Tenant returns the tenant of the session.
func (v *Session) Tenant() string { return view(v, (*core.Session).Tenant) }

// Stored reports whether there is a live session in the store.
func (v *Session) Stored() bool {
	return view(v, func(s *core.Session) bool { return s.State() == core.StateActive })
}

// Names returns the names of all values.
func (v *Session) Names() []string {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if s := v.reading(); s != nil {
		return s.Names()
	}
	return nil
}

// reading returns the session for a value to be read. In a request that is to change
// something it is what the store has now.
func (v *Session) reading() *core.Session {
	if v.loaded && v.x.Unsafe && !v.updating.Load() {
		if err := v.request.middleware.manager.Reread(&v.x); err != nil {
			v.loaded, v.err = false, err
			return nil
		}
	}
	return v.current()
}

// change does something that a later commit can store.
func (v *Session) change(f func(*core.Session) error) error {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if err := v.closed(false); err != nil {
		return err
	}
	return f(v.current())
}

// firmly does something that needs a cookie.
func (v *Session) firmly(f func(*core.Session) error) error {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if err := v.closed(true); err != nil {
		return err
	}
	err := f(v.current())
	v.firm = v.firm || err == nil
	return err
}

// closed returns the reason if nothing can be changed any more.
func (v *Session) closed(firmly bool) error {
	rq := v.request
	switch {
	case v.dead != nil:
		return v.dead
	case !v.loaded:
		return v.err
	case v.updating.Load():
		return ErrUpdating
	case rq.over.Load():
		return ErrCommitted
	case rq.sent.Load() && (firmly || v.current().State() == core.StateNew):
		return ErrHeadersSent
	}
	return nil
}

// Refresh moves the deadline, and the cookie's, to a whole lifetime from now.
// A visitor without a session gets none by it.
func (v *Session) Refresh() error { return v.firmly((*core.Session).Refresh) }

// Destroy ends the session at once and for good, in the store and in the
// browser, whatever happens to the request afterwards, and with it every other
// live session that a cookie of the request proves. The visitor goes on
// with a new session that is not stored. After the answer has begun, and also
// after its end, it still ends the session; the browser then keeps a cookie
// that opens nothing. An error means that the store could not be reached: the
// session lives, and it is tried once more before the first byte. Where caches are in
// use, the first byte of the answer waits for them: see hosts.Manager.Settle.
func (v *Session) Destroy() error {
	v.request.mu.Lock()
	late := v.request.sent.Load()
	v.x.Settles = true // without the lock, below
	err := v.destroy()
	v.x.Settles = !late
	v.request.mu.Unlock()
	if err != nil || !late {
		return err
	}
	return v.request.middleware.manager.Settle(&v.x)
}

// destroy is Destroy without the wait.
func (v *Session) destroy() error {
	switch {
	case !v.loaded:
		return v.err
	case v.updating.Load():
		return ErrUpdating
	}
	v.current()
	m := v.request.middleware.manager
	if err := m.EndSession(&v.x); err != nil && !errors.Is(err, ErrHeadersSent) {
		return err
	}
	m.New(&v.x)
	return nil
}

// commit stores what was done so far.
func (v *Session) commit() error {
	if !v.loaded {
		return nil // not asked for by Session, or the store was down, which the handler knows
	}
	m := v.request.middleware.manager
	s, err := m.Commit(&v.x, v.current())
	if err == nil && s.State() == core.StateEnded {
		m.New(&v.x) // a logout that had failed before is not stored twice
	}
	return err
}

// needsCookie reports whether a commit is of no use without a cookie.
func (v *Session) needsCookie() bool {
	if s := v.current(); s != nil && s.State() == core.StateNew {
		return s.User() != "" || s.Len() > 0
	}
	return v.firm
}

// close stores what was done after the first byte and ends it.
func (v *Session) close() {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if s := v.current(); s != nil && s.Changed() {
		m := v.request.middleware.manager
		v.x.Reply = nil // too late for a cookie
		if _, err := m.Commit(&v.x, s); err != nil {
			m.Lost(s.ID(), err)
		}
	}
	v.unwatch()
	v.x.Close()
}
