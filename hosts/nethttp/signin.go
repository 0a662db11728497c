package nethttp

import (
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Login signs user in; see core.Session.LoginWith. A lifetime of zero is the
// configured one; 30 days is a usual "remember me": with a lifetime of its own
// the cookie outlives the browser, whatever Config.EndWithBrowser says. With
// Config.Credentials it is refused with hosts.ErrNoStamp.
func (v *Session) Login(user string, lifetime time.Duration) error {
	return v.LoginWith(user, hosts.Login{Lifetime: lifetime})
}

// LoginWith is Login with a stamp of the user's credentials, and how they have proved who they are.
func (v *Session) LoginWith(user string, l hosts.Login) error {
	return v.firmly(func(*core.Session) error {
		return v.request.middleware.manager.SignIn(&v.x, user, l)
	})
}

// Renew gives the session a new secret, at a change of privilege.
func (v *Session) Renew() error { return v.firmly((*core.Session).Renew) }

// RenewWith is Renew for a handler that has changed the credentials of the visitor, such
// as their password: stamp is that of the new ones. The visitor stays signed in, and all
// their other sessions end: see hosts.Config.Credentials.
func (v *Session) RenewWith(stamp string) error {
	return v.asUser(func(s *core.Session) error { return s.RenewWith(stamp) })
}

// Confirm notes that the visitor has just proved once more who they are, and by which
// methods, such as "pwd" and "otp" (RFC 8176): these take the place of those before. The
// session gets a new secret: a copy of its cookie from before cannot use the proof.
func (v *Session) Confirm(methods ...string) error {
	return v.asUser(func(s *core.Session) error { return s.Confirm(methods...) })
}

// asUser does something firmly that needs somebody who is signed in.
func (v *Session) asUser(f func(*core.Session) error) error {
	return v.firmly(func(s *core.Session) error {
		if s.User() == "" {
			return ErrNotSignedIn
		}
		return f(s)
	})
}

// ProvenAt returns when the user last proved who they are, by a login or Confirm; the
// zero Time if nobody is signed in.
func (v *Session) ProvenAt() time.Time { return view(v, at((*core.Session).ProvenAt)) }

// Methods returns how the user last proved who they are, in the order of the names; none
// if the program has not said.
func (v *Session) Methods() []string { return view(v, (*core.Session).Methods) }
