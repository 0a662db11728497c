package hosts

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// ErrNoAnswer means that a cookie cannot be set because the method was called
// without a Request that has an answer.
var ErrNoAnswer = errors.New("no HTTP answer to set the session cookie on: pass the *hosts.Request as the context")

func (m *Manager) reply(x *Request, cookies []string) error {
	if len(cookies) == 0 {
		return nil
	}
	if x == nil || x.Reply == nil {
		return ErrNoAnswer
	}
	m.warnInsecure(x)
	x.replied = true
	for _, c := range cookies {
		if err := x.Reply("Set-Cookie", c); err != nil {
			return err
		}
	}
	return x.Reply("Cache-Control", "no-store")
}

// warnInsecure diagnoses what otherwise looks like lost sessions, each cause once.
func (m *Manager) warnInsecure(x *Request) {
	if x.HTTPS {
		return
	}
	p := m.machine.Policy()
	switch {
	case p.AllowInsecure && !p.SecureByRequest:
	case x.Unbelieved:
		if !m.proxyWarned.Swap(true) {
			m.events.warn("X-Forwarded-Proto or Forwarded says HTTPS, but comes from an address that is not in TrustedProxies, and is ignored. "+
				"If it is your proxy, add its address to TrustedProxies, or set TrustUnixSocket if it comes by a Unix socket. "+
				"Until then all visitors have the proxy's address", "address", x.IP)
		}
	case !p.AllowInsecure && !m.insecureWarned.Swap(true):
		m.events.warn("a Secure cookie was set over plain HTTP; browsers drop it except on localhost. " +
			"Serve HTTPS, or name the proxy that does in TrustedProxies, or set AllowInsecure in development")
	}
}

// hold leaves the cookie of a new session or login to SetCookie, and sees to it
// that it is not forgotten; every other cookie goes out with the save.
func (m *Manager) hold(x *Request, before core.ID, e *core.Effects) error {
	switch {
	case e.Did&(core.DidCreate|core.DidLogin) != 0:
		x.manager, x.owed, x.created = m, true, e.Next
		return nil
	case x.created != nil && x.created.ID() == before:
		x.created = e.Next
	default:
		m.stand(x, before, e)
	}
	if x.Reply == nil {
		return nil
	}
	return m.reply(x, e.Cookies)
}

// ErrNoSecret means that a cookie cannot be made because the session was
// loaded by its ID, and only the browser knows its secret.
var ErrNoSecret = errors.New("session cookie cannot be set: the session was not saved, or was loaded by its ID, and only the browser knows its secret")

// SetCookie sets the encrypted cookie of a saved session, as it is after
// whatever else was done to it in this request.
func (m *Manager) SetCookie(ctx context.Context, s *Session) error {
	if s == nil || !s.proven {
		return ErrNoSecret
	}
	x, c := RequestFrom(ctx), s.current
	if x.hasEnded(s.ID) {
		return ErrNoSecret
	}
	defer x.lock()()
	if x != nil {
		for _, own := range []*core.Session{x.current, x.created} {
			if own != nil && own.ID() == c.ID() && own.State() == core.StateActive {
				c = own
			}
		}
	}
	seed, err := m.seed(ctx)
	if err != nil {
		return err
	}
	cookies, err := m.machine.Cookie(c, m.now(), seed)
	if err != nil {
		return err
	}
	if len(cookies) == 0 {
		return ErrNoSecret
	}
	if err := m.reply(x, cookies); err != nil {
		return err
	}
	if x.created != nil && x.created.ID() == c.ID() {
		x.current, x.created, x.owed = x.created, nil, false
	}
	return nil
}

// ClearCookie removes the session cookie from the browser, whatever the
// route's path.
func (m *Manager) ClearCookie(ctx context.Context) error {
	x := RequestFrom(ctx)
	if x == nil {
		return ErrNoAnswer
	}
	return m.reply(x, m.machine.ClearCookie(x.HTTPS))
}
