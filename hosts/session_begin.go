package hosts

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Login is LoginWith a lifetime alone; zero is the configured one. With
// Config.Credentials it is refused with ErrNoStamp.
func (m *Manager) Login(ctx context.Context, user string, lifetime time.Duration) (*Session, error) {
	return m.LoginWith(ctx, user, Login{Lifetime: lifetime})
}

// LoginWith signs a user in on the request in ctx: the visitor's session gets a
// new secret and keeps its data when it was anonymous or the same user's;
// otherwise it ends and a new one begins. The session is saved and its cookie
// set. Go on with the Session that it returns: one from before is of
// the old secret, and saving it is refused.
func (m *Manager) LoginWith(ctx context.Context, user string, l Login) (*Session, error) {
	x := RequestFrom(ctx)
	if x == nil || x.Reply == nil {
		return nil, ErrNoAnswer
	}
	defer x.lock()()
	before, err := m.currentOrNew(x)
	if err != nil {
		return nil, err
	}
	c, err := m.signIn(x, before, user, l) // a Session that shows before must not sign in once more
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

func (m *Manager) currentOrNew(x *Request) (*core.Session, error) {
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

// New returns a session for the request that is not stored, and makes it the
// request's. Where the visitor's own was refused with core.ErrIPFamily, or the
// browser may hold another cookie, only a login can be stored in it.
func (m *Manager) New(x *Request) *core.Session {
	x.Updates.Clear()
	x.current = m.machine.New(m.beginning(x))
	return x.current
}

// beginning is the request of a new session: with what bars it from one.
func (m *Manager) beginning(x *Request) core.Request {
	q := x.request()
	if x.refused == nil && x.CrossSite != core.CrossSiteNone { // else Resume has found it out
		_, x.refused = m.machine.Identify(x.Cookies.Fields(), x.Tenant, m.now())
	}
	var r *core.Refusal
	if errors.As(x.refused, &r) {
		q.Superseded = r.Recent
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
	return m.renew(ctx, s, (*core.Session).Renew)
}

func (m *Manager) renew(ctx context.Context, s *Session, do func(*core.Session) error) error {
	if s == nil || !s.proven {
		return ErrNoSecret
	}
	x := RequestFrom(ctx)
	if x == nil || x.Reply == nil {
		return ErrNoAnswer
	}
	if err := m.saveAfter(ctx, s, do); err != nil {
		return err
	}
	if x.created != nil && x.created.ID() == s.ID { // it has begun anew, see core.Session.RenewWith
		return m.SetCookie(ctx, s)
	}
	return nil
}
