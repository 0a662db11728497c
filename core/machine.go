package core

import (
	"crypto/subtle"

	"github.com/rockstar-web/sessions/internal/digest"
)

// Machine decides everything about sessions and does nothing: it reads no
// clock, draws no randomness and asks no store. The same inputs give the same
// outputs, bytes included. It is safe for concurrent use; its cache of ready
// ciphers is the only thing in it that changes.
type Machine struct {
	policy   Policy
	ring     *ring
	warnings []string
}

// NewMachine checks the policy, fills in its defaults, and checks the keys. A
// *PolicyError or one of the key errors tells what is refused.
func NewMachine(p Policy, keys KeyRing) (*Machine, error) {
	p = p.withDefaults()
	if err := p.check(); err != nil {
		return nil, err
	}
	r, err := newRing(keys, p.MaxLifetime)
	if err != nil {
		return nil, err
	}
	m := &Machine{policy: p, ring: r}
	for _, k := range r.keys {
		next := r.after(k.from)
		switch {
		case k.till == 0:
		case next == nil:
			m.warnings = append(m.warnings, "encryption key "+k.id.String()+
				" seals until it opens no more; give it a successor, or the last cookies are lost before their time")
		case k.till < next.from+p.Lifetime:
			m.warnings = append(m.warnings, "encryption key "+k.id.String()+" opens until "+millis(k.till-next.from)+
				" after its successor begins to seal; cookies live for "+millis(p.Lifetime)+" and are lost before their time")
		}
	}
	return m, nil
}

// NewRules returns a Machine without keys, for the host of a guest that has
// them: it makes and changes sessions by the same policy, but opens and seals
// nothing. A policy is checked as by NewMachine.
func NewRules(p Policy) (*Machine, error) {
	p = p.withDefaults()
	if err := p.check(); err != nil {
		return nil, err
	}
	m := &Machine{policy: p, ring: &ring{oldest: p.MaxLifetime}}
	m.ring.ready.Store(&map[subkeyName]*subkey{})
	return m, nil
}

// after returns the key that takes over from one that seals from the moment given.
func (r *ring) after(from Time) *ringKey {
	var next *ringKey
	for i := range r.keys {
		if k := &r.keys[i]; k.from > from && (next == nil || k.from < next.from) {
			next = k
		}
	}
	return next
}

// Policy returns the policy in force, defaults filled in.
func (m *Machine) Policy() Policy { return m.policy }

// Warnings tells what is allowed but likely a mistake.
func (m *Machine) Warnings() []string { return m.warnings }

// New returns a session that is not stored: an anonymous visitor. Nothing is
// stored until something is in it.
func (m *Machine) New(q Request) *Session {
	return &Session{m: m, req: q, rec: Record{Tenant: q.Tenant}}
}

// Resume opens a loaded record for the ticket that asked for it, or returns
// the Refusal that tells why not. ErrTheft, ErrIPChanged and
// ErrUserAgentChanged mean that the session must be ended by the host; on
// ErrIPFamily it lives on.
func (m *Machine) Resume(t Ticket, r Record, q Request, now Time) (*Session, error) {
	if r.ID != t.ID {
		return nil, ErrNotFound
	}
	if r.Tenant != q.Tenant && !q.AnyTenant {
		return nil, ErrWrongTenant
	}
	room := new(resumed)
	s := &room.Session
	s.m, s.state, s.rec, s.req, s.ticket, s.marks = m, StateActive, r, q, t, room.room[:0]
	old, err := m.openRecord(&r, &s.in, now)
	if err != nil {
		return nil, err
	}
	if t.trusted && s.in.replaced {
		return nil, ErrNotFound
	}
	if !t.trusted {
		if err := s.prove(now); err != nil {
			return nil, err
		}
	}
	if err := s.live(now); err != nil {
		return nil, err
	}
	if !t.trusted {
		if err := s.bound(); err != nil {
			return nil, err
		}
	}
	s.old = old
	s.cur = s.in.data
	s.user, s.lifetime, s.remember = r.User, s.in.lifetime, s.in.remembered(&m.policy)
	return s, nil
}

// prove holds the ticket's secret against the record.
func (s *Session) prove(now Time) error {
	p, t := &s.in, &s.ticket
	if t.gen.chain < p.gen.chain && now < p.chainAt+SupersededHold {
		return errSupersededRecently
	}
	if t.gen.chain != p.gen.chain || t.gen.step > p.gen.step {
		return ErrSuperseded
	}
	shown := digest.Sum256(shown(t.secret)[:])
	switch {
	case t.gen.step == p.gen.step:
		if subtle.ConstantTimeCompare(shown[:], p.secretHash[:]) != 1 {
			return ErrSuperseded // of a fork that a restored store has forgotten
		}
		return nil
	case t.gen.step+1 < p.gen.step || subtle.ConstantTimeCompare(shown[:], p.prevHash) != 1:
		return ErrTheft
	case p.nextSeenAt != 0 && now >= p.nextSeenAt+s.m.policy.RenewGrace:
		return ErrTheft
	}
	s.behind = true
	return nil
}

// live judges the expiry: the first moment at which a session is over is its
// limit itself. The clear ExpiresAt counts too, so that a sweep, which goes by
// it, never removes what is still live here.
func (s *Session) live(now Time) error {
	idle := s.m.policy.IdleTimeout
	switch {
	case idle != 0 && now >= s.rec.SeenAt+idle && s.rec.SeenAt+idle <= s.in.deadline:
		return ErrIdle
	case now >= s.in.deadline:
		return ErrExpired
	case now >= s.rec.ExpiresAt:
		return ErrIdle
	}
	return nil
}

func clip(s string, most int) string { return s[:min(len(s), most)] }
