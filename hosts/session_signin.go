package hosts

import (
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// A barred session is the visitor's by its cookie, but bound to an address of
// the other family (IPv4, IPv6) than this request's.
type barred struct {
	ticket core.Ticket
	record core.Record
}

// SignIn signs user in on the session of the request, to be stored by Commit. It
// is for hosts; programs call Login.
// Where the visitor's own session was refused with core.ErrIPFamily and is
// user's, the login goes on with that one, with what was put since: from then on
// it is open to both of the visitor's addresses.
func (m *Manager) SignIn(x *Request, user string, l Login) error {
	next, err := m.signIn(x, x.current, user, l)
	if err == nil {
		x.current = next
	}
	return err
}

// signIn leaves s as it was.
func (m *Manager) signIn(x *Request, s *core.Session, user string, l Login) (*core.Session, error) {
	if m.credentials.ask != nil && l.Stamp.IsZero() {
		return nil, ErrNoStamp
	}
	c := s.Clone()
	if err := c.LoginWith(user, l.core()); err != nil {
		return nil, err
	}
	if err := m.makeRoom(x, x, s, c); err != nil {
		return nil, err
	}
	x.again = m.has(x, s, user)
	if x.barred != nil && s.State() == core.StateNew {
		own, err := m.signInBarred(x, s, user, l)
		var r *core.Refusal // it is another user's, or over by now
		if err == nil || !errors.As(err, &r) {
			return own, err
		}
	}
	x.barred = nil // the visitor has a session
	return c, nil
}

func (m *Manager) signInBarred(x *Request, s *core.Session, user string, l Login) (*core.Session, error) {
	q := x.request()
	q.SignIn = true
	c, err := m.machine.Resume(x.barred.ticket, x.barred.record, q, m.now())
	if err != nil {
		return nil, err
	}
	if err := c.LoginWith(user, l.core()); err != nil {
		return nil, err
	}
	for _, name := range s.Names() {
		value, _ := s.Value(name)
		if err := c.SetValue(name, value); err != nil {
			return nil, err
		}
	}
	x.barred = nil
	return c, nil
}
