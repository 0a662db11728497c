package core

import (
	"crypto/subtle"

	"github.com/rockstar-web/sessions/internal/digest"
)

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
	old, err := m.ring.openRecord(&r, &s.in, now)
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
		return p.superseded(errSupersededRecently, errCredentialsRecently)
	}
	if t.gen.chain != p.gen.chain || t.gen.step > p.gen.step {
		return p.superseded(ErrSuperseded, ErrCredentialsChanged)
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

// superseded is why a cookie of an earlier chain is refused.
func (p *payload) superseded(by, outdated *Refusal) error {
	if p.outdated {
		return outdated
	}
	return by
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
