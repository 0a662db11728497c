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

// change opens a session by ID, does something to it and stores that.
func (m *Manager) change(ctx context.Context, id core.ID, do func(*core.Session) error) error {
	loading, cancel := context.WithTimeout(ctx, m.commitTimeout)
	defer cancel()
	c, err := m.byID(loading, id)
	if err != nil {
		return err
	}
	if err := do(c); err != nil {
		return fmt.Errorf("session %v: %w", id, err)
	}
	e, err := m.commit(ctx, c)
	if err != nil {
		return err
	}
	m.tellDeeds(ExchangeFrom(ctx), &e)
	return nil
}

// Get returns one value. ErrNoValue means that the session lives and has no
// such name; core.ErrNotFound that there is no such session.
func (m *Manager) Get(ctx context.Context, id core.ID, name string) (any, error) {
	c, err := m.byID(ctx, id)
	if err != nil {
		return nil, err
	}
	raw, ok := c.Value(name)
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
	x := ExchangeFrom(ctx)
	own, err := m.visitor(x, id)
	if err != nil {
		return err
	}
	if own == nil {
		return m.change(ctx, id, (*core.Session).Refresh)
	}
	c := *own // a Session that shows it must not refresh once more
	if err := c.Refresh(); err != nil {
		return err
	}
	_, err = m.Commit(x, &c)
	return err
}

// visitor returns the exchange's stored session if it is the one named.
func (m *Manager) visitor(x *Exchange, id core.ID) (*core.Session, error) {
	if x == nil {
		return nil, nil
	}
	if x.current == nil {
		var r *core.Refusal
		if _, err := m.Resume(x); err != nil && !errors.As(err, &r) {
			return nil, err
		}
	}
	if x.current == nil || x.current.ID() != id || x.current.State() != core.StateActive {
		return nil, nil
	}
	return x.current, nil
}

// Destroy ends a session for good, for every request, also those in flight.
// A missing one is no error. When it is the visitor's own, the cookie is
// cleared. It acts at once, and also when the session cannot be loaded, unless
// it is not the visitor's and may be another tenant's.
func (m *Manager) Destroy(ctx context.Context, id core.ID) error {
	q, x := requestOf(ctx)
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
	x.owed = false
	if x.current != nil {
		x.current.End()
	}
	if x.Reply == nil {
		return nil
	}
	return m.reply(x, m.machine.ClearCookie())
}

// owns reports whether the session is the visitor's: the one in this exchange,
// else one that an authentic cookie of this tenant names.
func (m *Manager) owns(x *Exchange, id core.ID) bool {
	if x == nil || x.current != nil {
		return x != nil && x.current.ID() == id
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
	before, err := m.currentOrNew(x)
	if err != nil {
		return nil, err
	}
	c := *before // a Session that shows it must not sign in once more
	if err := c.Login(user, core.Milliseconds(lifetime)); err != nil {
		return nil, err
	}
	next, err := m.Commit(x, &c)
	if err != nil {
		return nil, err
	}
	return m.showProven(next)
}

func (m *Manager) currentOrNew(x *Exchange) (*core.Session, error) {
	if x.current != nil && x.current.State() != core.StateEnded {
		return x.current, nil
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

// New returns a session for the exchange that is not stored.
func (m *Manager) New(x *Exchange) *core.Session { return m.machine.New(x.request()) }

// Renew gives the visitor's session a new secret, at a change of privilege, and
// saves it. The old cookie is worthless from then on; the new one is set.
func (m *Manager) Renew(ctx context.Context, s *Session) error {
	if s == nil || !s.proven {
		return ErrNoSecret
	}
	if x := ExchangeFrom(ctx); x == nil || x.Reply == nil {
		return ErrNoAnswer
	}
	return m.saveAfter(ctx, s, (*core.Session).Renew)
}
