package hosts

import (
	"context"
	"errors"
	"slices"

	"github.com/rockstar-web/sessions/core"
)

// Destroy ends a session for good, for every request, also those in flight.
// A missing one is no error. When it is the visitor's own, the cookie is
// cleared. It acts at once, and also when the session cannot be loaded, unless
// it is not the visitor's and may be another tenant's. It returns when no cache of
// any server shows the session signed in any more, see Settle; ErrNotFinal means that
// the session has ended and that this wait was cut short.
func (m *Manager) Destroy(ctx context.Context, id core.ID) error {
	own, err := m.destroy(ctx, id)
	if err != nil {
		return err
	}
	return m.loggedOut(ctx, own)
}

// destroy is Destroy without the wait. It reports whether the session was the
// visitor's own.
func (m *Manager) destroy(ctx context.Context, id core.ID) (own bool, err error) {
	q, x := requestOf(ctx)
	defer x.lock()()
	own = m.owns(x, id)
	r, err := m.loadToEnd(ctx, id)
	switch {
	case err == nil && !q.AnyTenant && r.Tenant != q.Tenant:
		return own, core.ErrWrongTenant
	case err != nil && !errors.Is(err, core.ErrNotFound) && !own && !q.AnyTenant:
		return own, err
	}
	ending, cancel := m.lasting(ctx)
	defer cancel()
	if err := m.remove(ending, id); err != nil {
		return own, err
	}
	if !errors.Is(err, core.ErrNotFound) { // nothing ended, then
		m.counts.end(id, core.ReasonEnded)
		m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonEnded, ID: id, Tenant: r.Tenant, User: r.User})
	}
	if !own {
		return own, nil
	}
	x.gone(id)
	if err := m.endProven(x, id); err != nil {
		return own, err
	}
	if x.Reply == nil {
		return own, nil
	}
	return own, m.reply(x, m.machine.ClearCookie(x.HTTPS))
}

// EndSession ends the session of the request as Destroy does, and every other
// live one that a cookie of the request proves: the browser may have several, by
// different paths and domains, and the visitor wants to be in none of them. One that
// is not there is deleted once more: it may have been by a logout that failed, since
// too few replicas had it.
func (m *Manager) EndSession(x *Request) error {
	c := x.current
	id := c.ID()
	c.End()
	// The others first: the cookie stays until all is done, and the wait for the caches
	// is of them, too.
	if err := m.endProven(x, id); err != nil {
		return err // the request's own commit ends c
	}
	next, err := m.Commit(x, c)
	if next == nil {
		return err // it lives, and the request's own commit tries once more
	}
	x.gone(id)
	return err
}

// endProven ends every session but one that a cookie of the request proves, if it is
// live or not there.
func (m *Manager) endProven(x *Request, but core.ID) error {
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
		case errors.Is(err, core.ErrNotFound):
			if err := m.remove(ctx, t.ID); err != nil {
				return err
			}
			continue
		case errors.Is(err, core.ErrCredentialsChanged):
			// A request that has changed them would begin the session anew.
			if err := m.remove(ctx, t.ID); err != nil {
				return err
			}
			m.counts.end(t.ID, core.ReasonEnded)
			continue
		case errors.As(err, &refused) && !breach(err):
			continue
		case err != nil && refused == nil:
			return err
		}
		if err := m.remove(ctx, t.ID); err != nil {
			return err
		}
		m.counts.end(t.ID, core.ReasonEnded)
		m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonEnded, ID: t.ID, Tenant: r.Tenant, User: r.User})
	}
	return nil
}

// owns reports whether the session is the visitor's: one of this request, else
// one that an authentic cookie of this tenant names.
func (m *Manager) owns(x *Request, id core.ID) bool {
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
