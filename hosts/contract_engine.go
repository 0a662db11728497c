package hosts

import "github.com/rockstar-web/sessions/core"

// Engine is what decides: a core.Machine, or a guest that runs the same core.
// Its methods are those of core.Machine, with an error of its own where a guest
// cannot be asked. It is safe for concurrent use. One that is an io.Closer is
// closed with its manager.
type Engine interface {
	Policy() core.Policy
	Warnings() []string
	New(q core.Request) *core.Session
	Identify(cookies []string, tenant string, now core.Time) ([]core.Ticket, error)
	Resume(t core.Ticket, r core.Record, q core.Request, now core.Time) (*core.Session, error)
	Pending(s *core.Session, now core.Time) bool
	Commit(s *core.Session, now core.Time, seed core.Seed) (core.Effects, error)
	Rebase(s *core.Session, theirs *core.Record, now core.Time) (*core.Session, error)
	Fold(t, s *core.Session) error
	Applied(theirs *core.Record, version, prev core.Version, now core.Time) (applied, known bool, err error)
	Cookie(s *core.Session, now core.Time, seed core.Seed) ([]string, error)
	ClearCookie(https bool) []string
}

var _ Engine = (*core.Machine)(nil)

// native is the core itself.
func native(p core.Policy, keys core.KeyRing) (Engine, error) { return core.NewMachine(p, keys) }
