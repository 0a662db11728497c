package hosts

import (
	"context"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Login says how a user signs in.
type Login struct {
	// Lifetime is the session's own, which refreshes keep [Config.Lifetime]. 30 days is a
	// usual "remember me".
	Lifetime time.Duration
	// Stamp is what Config.Credentials returns for the credentials that the program has
	// verified: make it of the row that the password was checked against, with
	// core.NewSecret, so that it is not printed. Of it a hash is kept.
	Stamp core.Secret
	// Methods are how the user has proved who they are, such as "pwd" and "otp": the names
	// of RFC 8176, or others. At most 8 of 32 bytes. See RequireMethods of package nethttp.
	Methods []string
}

func (l *Login) core() core.Login {
	return core.Login{Lifetime: core.Milliseconds(l.Lifetime), Stamp: l.Stamp, Methods: l.Methods}
}

// RenewWith is Renew for a program that has changed the credentials of the visitor, such
// as their password: stamp is that of the new ones. The visitor stays signed in, and all
// their other sessions end: see Config.Credentials.
func (m *Manager) RenewWith(ctx context.Context, s *Session, stamp string) error {
	return m.renew(ctx, s, func(c *core.Session) error { return c.RenewWith(stamp) })
}

// Confirm notes that the visitor has just proved once more who they are, and by which
// methods: see Login. These take the place of those before. The session gets a new secret
// and is saved, as by Renew: a copy of its cookie from before cannot use the proof.
func (m *Manager) Confirm(ctx context.Context, s *Session, methods ...string) error {
	return m.renew(ctx, s, func(c *core.Session) error { return c.Confirm(methods...) })
}

// ProvenAt returns when the user last proved who they are, by a login or Confirm; the
// zero Time if nobody is signed in.
func (s *Session) ProvenAt() time.Time { return s.current.ProvenAt().Time() }

// Methods returns how the user last proved who they are, in the order of the names; none
// if the program has not said.
func (s *Session) Methods() []string { return s.current.Methods() }
