package hosts

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// admit judges the session of a visitor that was resumed for x. core.ErrCredentialsChanged
// means that the credentials of its user have changed: then it has ended, unless it is of a cache.
// core.ErrConflict means that another request was faster: it is to be loaded anew.
func (m *Manager) admit(x *Request, s *core.Session, cached bool) error {
	if m.credentials.ask == nil || s.User() == "" {
		return nil
	}
	ok, err := m.vouched(x, s, false)
	switch {
	case ok || err != nil:
		return err
	case cached:
		return core.ErrCredentialsChanged
	}
	return m.outdate(x, s)
}

// outdate ends a session whose user's credentials have changed, as it was loaded. It
// returns core.ErrCredentialsChanged, or why it has not ended.
func (m *Manager) outdate(x *Request, s *core.Session) error {
	q := s.Quiet()
	q.Outdate()
	ctx, cancel := m.lasting(x)
	defer cancel()
	e, err := m.attempt(ctx, q)
	if err != nil {
		return err
	}
	m.counts.end(s.ID(), core.ReasonCredentials)
	m.counts.traced(s.ID())
	m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonCredentials, ID: s.ID(), Tenant: s.Tenant(), User: s.User()})
	if e.Save != nil && !x.owe(true) {
		if err := m.waitForCaches(context.WithoutCancel(x), time.Now()); err != nil {
			return err
		}
	}
	return core.ErrCredentialsChanged
}

// admitChange judges, before it is stored, what a request did: the credentials may have
// changed since it has begun. What only notes a use is stored all the same.
func (m *Manager) admitChange(ctx context.Context, s *core.Session) error {
	anew := s.StampsAnew()
	switch {
	case m.credentials.ask == nil || s.User() == "" || s.State() == core.StateEnded:
		return nil
	case s.SignsIn() && !anew:
		return ErrNoStamp
	case !anew && (s.ByID() || !s.Changed()):
		return nil
	}
	asking, cancel := m.lasting(ctx) // a commit outlives an aborted request
	defer cancel()
	ok, err := m.vouched(asking, s, anew)
	x := RequestFrom(ctx)
	switch {
	case ok || err != nil:
		return err
	case anew || x == nil: // the stamp was given by the program: that it is wrong says nothing of what is stored
		return core.ErrCredentialsChanged
	}
	if err := m.outdate(x, s); !errors.Is(err, core.ErrConflict) {
		return err
	}
	return core.ErrCredentialsChanged // the next request judges what is stored by now
}
