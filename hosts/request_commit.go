package hosts

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// tell emits an event of a session.
func (m *Manager) tell(x *Request, k EventKind, s *core.Session) {
	m.emit(x, Event{Kind: k, ID: s.ID(), Tenant: s.Tenant(), User: s.User()})
}

// emit hands an event out with the time and, where there is a request, with
// whose request it was.
func (m *Manager) emit(x *Request, ev Event) {
	ev.At = m.now()
	if x != nil {
		ev.IP, ev.UserAgent = addressText(addressBytes(x.IP)), x.UserAgent
	}
	m.events.emit(ev)
}

// Commit stores what a session of the request did and then sets its cookie.
// It returns the session as it is afterwards; s is spent.
func (m *Manager) Commit(x *Request, s *core.Session) (*core.Session, error) {
	x.Updates.guard = x.Guard
	e, err := m.commit(x, s, &x.Updates)
	if err != nil {
		m.conflicted(x, s, err)
		if s.State() == core.StateNew && errors.Is(err, core.ErrSuperseded) && x.refused != nil {
			return nil, x.refused // which says by what
		}
		return nil, err
	}
	m.tellDeeds(x, &e)
	if err := m.loggedIn(x, x, s, &e); err != nil {
		return nil, err
	}
	x.current = e.Next
	if e.Save != nil {
		x.cached = false
	}
	if e.Did&core.DidEnd != 0 {
		if !x.owe(true) {
			if err := m.waitForCaches(context.WithoutCancel(x), time.Now()); err != nil {
				return e.Next, err
			}
		}
	}
	if e.Did&core.DidLogin != 0 {
		x.waiting.own = time.Time{} // who signs in again waits for nothing
	}
	if x.Reply == nil {
		return e.Next, nil
	}
	return e.Next, errors.Join(m.reply(x, e.Cookies), m.announce(x, &e))
}

// conflicted emits the event of a commit that was refused for a conflict.
func (m *Manager) conflicted(x *Request, s *core.Session, err error) {
	if c, ok := errors.AsType[*core.ConflictError](err); ok {
		m.counts.conflicts.Add(1)
		m.emit(x, Event{Kind: EventConflict, ID: s.ID(), Tenant: s.Tenant(), User: s.User(), Names: []string{c.Name}, Err: err})
	}
}

// tellDeeds emits the events of a commit; x may be nil.
func (m *Manager) tellDeeds(x *Request, e *core.Effects) {
	if e.Warn {
		m.events.warn("session has grown large; keep large things elsewhere and their IDs here",
			"session", e.Next.ID().String(), "bytes", e.Size, "limit", m.machine.Policy().SessionSize)
	}
	if len(e.Dropped) > 0 {
		m.emit(x, Event{Kind: EventConflict, ID: e.Next.ID(), Tenant: e.Next.Tenant(), User: e.Next.User(), Names: e.Dropped,
			Err: &core.ConflictError{Name: e.Dropped[0]}})
	}
	if !e.Delete.IsZero() && m.events.wanted(EventEnded) {
		ended := Event{Kind: EventEnded, Reason: endedBy(e), ID: e.Delete, Tenant: e.Next.Tenant()}
		if ended.Reason == core.ReasonEnded {
			ended.User = e.Next.User()
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

// endedBy is why a commit deletes a session.
func endedBy(e *core.Effects) core.Reason {
	if e.Did&core.DidEnd != 0 {
		return core.ReasonEnded
	}
	return core.ReasonSuperseded // a login replaces another user's
}

// Lost reports that changes could not be stored when it was too late to say so to
// the visitor: hosts call it for what was done after the answer had begun.
func (m *Manager) Lost(id core.ID, err error) {
	m.events.warn("changes made after the answer had begun are not stored", "session", id.String(), "error", err)
}

// Refused logs that a request was answered with a status below 500 for what it asked
// for, such as too large a session: at Info, where Config has a Logger. Conflicts
// and refused cookies have events of their own.
func (m *Manager) Refused(status int, err error) {
	if m.events.told {
		m.events.logger.Info("sessions: a request was refused", "status", status, "error", err)
	}
}

// Failed logs that a request got an error page by a fault of the program, such
// as a missing middleware. Failures of the store are reported where they
// happen: see EventFailed.
func (m *Manager) Failed(err error) {
	if !isStoreFailure(err) {
		m.events.logger.Error("sessions: a request got an error page by a fault of the program", "error", err)
	}
}
