package hosts

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// This file is about requests that are no person: see Request.Quiet. Their session is an
// ordinary one until it is committed, so that a login in such a request is a login.

// isQuiet reports whether a commit of s notes no use. A new session is stored as ever.
func isQuiet(x *Request, s *core.Session) bool {
	return x != nil && x.Quiet && s.State() == core.StateActive
}

// tryOnce is attempt, and where it is quiet stores the changed values of s alone.
func (m *Manager) tryOnce(ctx context.Context, s *core.Session, quiet bool) (core.Effects, error) {
	if !quiet {
		return m.attempt(ctx, s)
	}
	q, err := m.quieted(s)
	if err != nil {
		return core.Effects{}, err
	}
	e, err := m.attempt(ctx, q)
	if err == nil && q != s {
		e.Next = e.Next.Knowing(s)
	}
	return e, err
}

// quieted returns a view of s that changes the same values and does nothing else. It is s
// where that does more: logs in, renews, refreshes or sets a lifetime. So it is where the
// visitor showed the secret before the current one, and waits for the current.
func (m *Manager) quieted(s *core.Session) (*core.Session, error) {
	q := s.Quiet()
	if err := m.machine.Fold(q, s); err != nil {
		return nil, err
	}
	if !q.FoldsPlainly() {
		return s, nil
	}
	return q, nil
}

// allQuiet reports whether none of a batch is a use. Take never is one by itself.
func allQuiet(batch []*waiter) bool {
	some := false
	for _, w := range batch {
		if !w.quiet && w.take == "" {
			return false
		}
		some = some || w.quiet
	}
	return some
}

// errNotNoted: the store has answered neither that a use is noted nor that another
// request has noted one.
var errNotNoted = errors.New("the store has not noted the use")

// Extend notes a use of the request's session, which is loaded: a person has said that
// they are there. With refresh it moves the deadline as well. The request is not quiet
// from then on. Where other requests go on without their note, Extend fails, with an
// error that wraps ErrUnavailable. A session that has ended meanwhile, or is not stored,
// is no error: see Request.Current.
func (m *Manager) Extend(x *Request, refresh bool) error {
	x.Quiet = false
	const tries = 2 // another request may have noted its use first
	for try := range tries {
		s := x.current
		if s == nil || s.State() != core.StateActive {
			return nil
		}
		if refresh && try == 0 {
			if err := s.Refresh(); err != nil {
				return err
			}
		}
		now := m.now()
		due := m.machine.Pending(s, now)
		next, err := m.Commit(x, s)
		if err != nil || !due || next.SeenAt() >= now {
			return err
		}
		if err := m.again(x); err != nil {
			return err
		}
	}
	if s := x.current; s.State() == core.StateActive && m.machine.Pending(s, m.now()) {
		return m.unavailable("extend session", s.ID(), errNotNoted)
	}
	return nil // another request has noted it
}

// again loads the request's session anew from the store, or begins another.
func (m *Manager) again(x *Request) error {
	x.asks = true
	_, err := m.Resume(x)
	x.asks = false
	var r *core.Refusal
	if errors.As(err, &r) {
		m.New(x)
		return nil
	}
	return err
}

// TimeLeft returns how long a session lasts from now: idle, if nobody uses it, and
// absolute, whatever happens; equal without an idle timeout, and 0 where nothing is
// stored.
func (m *Manager) TimeLeft(s *core.Session) (idle, absolute time.Duration) {
	if s.State() != core.StateActive {
		return 0, 0
	}
	left := func(end core.Time) time.Duration { return max(0, end.Time().Sub(m.now().Time())) }
	return left(s.ExpiresAt()), left(s.Deadline())
}
