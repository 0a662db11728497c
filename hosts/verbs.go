package hosts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// byID opens a session for a program.
func (m *Manager) byID(ctx context.Context, id core.ID) (*core.Session, error) {
	r, err := m.load(ctx, id)
	if err != nil {
		return nil, err
	}
	q, _ := requestOf(ctx)
	return m.machine.Resume(core.ByID(id), r, q, m.now())
}

// changed opens a session by ID, does something to it, stores that and returns
// the session as it is then. The session of the exchange in ctx is stored with
// all that the request has done to it so far.
func (m *Manager) changed(ctx context.Context, id core.ID, u *Updates, do func(*core.Session) error) (*core.Session, error) {
	x := ExchangeFrom(ctx)
	if next, err := m.changedOwn(x, id, do); !errors.Is(err, errNotOwn) {
		return next, err
	}
	loading, cancel := context.WithTimeout(ctx, m.commitTimeout)
	defer cancel()
	c, err := m.byID(loading, id)
	if err != nil {
		return nil, err
	}
	if err := do(c); err != nil {
		return nil, fmt.Errorf("session %v: %w", id, err)
	}
	e, err := m.commit(ctx, c, u)
	if err != nil {
		m.conflicted(x, c, err)
		return nil, err
	}
	m.tellDeeds(x, &e)
	return e.Next, nil
}

// changedOwn is changed for the exchange's own session, or returns errNotOwn.
func (m *Manager) changedOwn(x *Exchange, id core.ID, do func(*core.Session) error) (*core.Session, error) {
	defer x.lock()()
	own := x.own(id)
	if own == nil {
		return nil, errNotOwn
	}
	c := own.Clone()
	if err := do(c); err != nil {
		return nil, fmt.Errorf("session %v: %w", id, err)
	}
	return m.Commit(x, c)
}

func (m *Manager) change(ctx context.Context, id core.ID, do func(*core.Session) error) error {
	_, err := m.changed(ctx, id, nil, do)
	return err
}

// Get returns one value. ErrNoValue means that the session lives and has no
// such name; core.ErrNotFound that there is no such session.
func (m *Manager) Get(ctx context.Context, id core.ID, name string) (any, error) {
	raw, ok, own := ExchangeFrom(ctx).readOwn(id, name)
	if !own {
		c, err := m.byID(ctx, id)
		if err != nil {
			return nil, err
		}
		raw, ok = c.Value(name)
	}
	if !ok {
		return nil, fmt.Errorf("session %v, value %q: %w", id, name, ErrNoValue)
	}
	return core.DecodeValue(raw)
}

// Set stores one value, without losing another request's change.
func (m *Manager) Set(ctx context.Context, id core.ID, name string, value any) error {
	raw, err := EncodeValue(name, value)
	if err != nil {
		return err
	}
	return m.change(ctx, id, func(c *core.Session) error { return c.SetValue(name, raw) })
}

// Delete removes one value; a missing one is no error.
func (m *Manager) Delete(ctx context.Context, id core.ID, name string) error {
	return m.change(ctx, id, func(c *core.Session) error { return c.DeleteValue(name) })
}

// Clear removes all values; the session lives on.
func (m *Manager) Clear(ctx context.Context, id core.ID) error {
	return m.change(ctx, id, (*core.Session).ClearValues)
}

// IsValid reports whether the session lives: false when it is missing, expired
// or ended. A store that cannot be asked is an error, not an answer.
func (m *Manager) IsValid(ctx context.Context, id core.ID) (bool, error) {
	_, err := m.byID(ctx, id)
	var r *core.Refusal
	if errors.As(err, &r) {
		return false, nil
	}
	return err == nil, err
}

// IsExpired reports whether the session has run out or idled out. A missing
// session is core.ErrNotFound.
func (m *Manager) IsExpired(ctx context.Context, id core.ID) (bool, error) {
	_, err := m.byID(ctx, id)
	if errors.Is(err, core.ErrExpired) || errors.Is(err, core.ErrIdle) {
		return true, nil
	}
	return false, err
}

// Refresh moves the deadline to a whole lifetime from now. When the session is
// the visitor's own, the cookie follows.
func (m *Manager) Refresh(ctx context.Context, id core.ID) error {
	if err := m.visitor(ExchangeFrom(ctx)); err != nil {
		return err
	}
	return m.change(ctx, id, (*core.Session).Refresh)
}

// visitor finds the session of the exchange, if there is one.
func (m *Manager) visitor(x *Exchange) error {
	defer x.lock()()
	if x == nil || x.current != nil || x.created != nil {
		return nil
	}
	var r *core.Refusal
	if _, err := m.Resume(x); err != nil && !errors.As(err, &r) {
		return err
	}
	return nil
}

// Destroy ends a session for good, for every request, also those in flight.
// A missing one is no error. When it is the visitor's own, the cookie is
// cleared. It acts at once, and also when the session cannot be loaded, unless
// it is not the visitor's and may be another tenant's.
func (m *Manager) Destroy(ctx context.Context, id core.ID) error {
	q, x := requestOf(ctx)
	defer x.lock()()
	own := m.owns(x, id)
	r, err := m.loadToEnd(ctx, id)
	switch {
	case err == nil && !q.AnyTenant && r.Tenant != q.Tenant:
		return core.ErrWrongTenant
	case err != nil && !errors.Is(err, core.ErrNotFound) && !own && !q.AnyTenant:
		return err
	}
	ending, cancel := m.lasting(ctx)
	defer cancel()
	if err := m.remove(ending, id); err != nil {
		return err
	}
	if !errors.Is(err, core.ErrNotFound) { // nothing ended, then
		m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonEnded, ID: id, Tenant: r.Tenant, User: r.User})
	}
	if !own {
		return nil
	}
	x.gone(id)
	if err := m.endProven(x, id); err != nil {
		return err
	}
	if x.Reply == nil {
		return nil
	}
	return m.reply(x, m.machine.ClearCookie(x.HTTPS))
}

// EndSession ends the session of the exchange as Destroy does, and every other
// live one that a cookie of the request proves: the browser may have several, by
// different paths and domains, and the visitor wants to be in none of them.
func (m *Manager) EndSession(x *Exchange) error {
	c := x.current
	id := c.ID()
	c.End()
	next, err := m.Commit(x, c)
	if next == nil {
		return err // it lives, and the request's own commit tries once more
	}
	x.gone(id)
	return errors.Join(m.endProven(x, id), err)
}

// endProven ends every live session but one that a cookie of the request proves.
func (m *Manager) endProven(x *Exchange, but core.ID) error {
	tickets, _ := m.machine.Identify(x.Cookies.Fields(), x.Tenant, m.now()) // none, if it fails
	ctx, cancel := m.lasting(x)
	defer cancel()
	for _, t := range tickets {
		if t.ID == but {
			continue
		}
		r, err := m.load(ctx, t.ID)
		if err == nil {
			_, err = m.machine.Resume(t, r, x.request(), m.now())
		}
		var refused *core.Refusal
		switch {
		case errors.As(err, &refused) && !breach(err):
			continue
		case err != nil && refused == nil:
			return err
		}
		if err := m.remove(ctx, t.ID); err != nil {
			return err
		}
		m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonEnded, ID: t.ID, Tenant: r.Tenant, User: r.User})
	}
	return nil
}

// owns reports whether the session is the visitor's: one of this exchange, else
// one that an authentic cookie of this tenant names.
func (m *Manager) owns(x *Exchange, id core.ID) bool {
	switch {
	case x == nil:
		return false
	case x.created != nil && x.created.ID() == id:
		return true
	case x.current != nil:
		return x.current.ID() == id
	}
	tickets, _ := m.machine.Identify(x.Cookies.Fields(), x.Tenant, m.now()) // none, if it fails
	return slices.ContainsFunc(tickets, func(t core.Ticket) bool { return t.ID == id })
}

// loadToEnd finds out whose a session is that is to be ended.
func (m *Manager) loadToEnd(ctx context.Context, id core.ID) (core.Record, error) {
	ctx, cancel := m.lasting(ctx)
	defer cancel()
	return m.load(ctx, id)
}

// Login signs a user in on the exchange in ctx: the visitor's session gets a
// new secret and keeps its data when it was anonymous or the same user's;
// otherwise it ends and a new one begins. The session is saved and its cookie
// set. A lifetime of zero is the configured one; 30 days is a usual
// "remember me". Go on with the Session that it returns: one from before is of
// the old secret, and saving it is refused.
func (m *Manager) Login(ctx context.Context, user string, lifetime time.Duration) (*Session, error) {
	x := ExchangeFrom(ctx)
	if x == nil || x.Reply == nil {
		return nil, ErrNoAnswer
	}
	defer x.lock()()
	before, err := m.currentOrNew(x)
	if err != nil {
		return nil, err
	}
	c, err := m.signIn(x, before, user, core.Milliseconds(lifetime)) // a Session that shows before must not sign in once more
	if err != nil {
		return nil, err
	}
	next, err := m.Commit(x, c)
	if err != nil {
		return nil, err
	}
	x.created = nil
	return m.showProven(next)
}

func (m *Manager) currentOrNew(x *Exchange) (*core.Session, error) {
	for _, c := range []*core.Session{x.created, x.current} {
		if c != nil && c.State() != core.StateEnded {
			return c, nil
		}
	}
	var r *core.Refusal
	c, err := m.Resume(x)
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &r):
		return m.New(x), nil
	}
	return nil, err
}

// New returns a session for the exchange that is not stored, and makes it the
// request's. Where the visitor's own was refused with core.ErrIPFamily, or the
// browser may hold another cookie, only a login can be stored in it.
func (m *Manager) New(x *Exchange) *core.Session {
	x.current = m.machine.New(m.beginning(x))
	return x.current
}

// beginning is the request of a new session: with what bars it from one.
func (m *Manager) beginning(x *Exchange) core.Request {
	q := x.request()
	if x.refused == nil && x.CrossSite != core.CrossSiteNone { // else Resume has found it out
		_, x.refused = m.machine.Identify(x.Cookies.Fields(), x.Tenant, m.now())
	}
	var r *core.Refusal
	if errors.As(x.refused, &r) {
		q.Superseded = r.Reason == core.ReasonSuperseded && r.Recent
	}
	q.SignIn = x.barred != nil
	if errors.Is(x.refused, core.ErrNoCookie) {
		q.CrossSite = x.CrossSite
	}
	return q
}

// Renew gives the visitor's session a new secret, at a change of privilege, and
// saves it. The old cookie is worthless from then on; the new one is set.
func (m *Manager) Renew(ctx context.Context, s *Session) error {
	if s == nil || !s.proven {
		return ErrNoSecret
	}
	x := ExchangeFrom(ctx)
	if x == nil || x.Reply == nil {
		return ErrNoAnswer
	}
	return m.saveAfter(ctx, s, (*core.Session).Renew)
}
