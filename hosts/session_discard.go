package hosts

import (
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// Discard drops what the request has done to its session and not stored yet. A host
// calls it for a handler that has failed. What Take, Destroy and the manager's other
// methods have stored at once stays, and Commit retries a Destroy that has failed.
// If anything had changed, the session is loaded again. An error wraps
// ErrUnavailable, and the request then has no session.
func (m *Manager) Discard(x *Request) error {
	s := x.current
	if s == nil || s.State() == core.StateEnded || !s.Changed() && x.Updates.byName == nil {
		return nil
	}
	x.Updates.Clear()
	switch {
	case x.replied && s.State() == core.StateActive:
		x.current = s.Quiet() // the answer has its cookie, which the request had not
		return nil
	case x.replied:
		m.New(x)
		return nil
	}
	x.current, x.barred = nil, nil
	_, err := m.Resume(x)
	var refusal *core.Refusal
	if errors.As(err, &refusal) {
		m.New(x)
		return nil
	}
	return err
}
