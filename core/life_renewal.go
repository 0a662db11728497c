package core

import (
	"encoding/binary"

	"github.com/rockstar-web/sessions/internal/digest"
)

// authenticate decides on the secret: a new one at the beginning, at a login
// and at a change of privilege; the next one of the chain when a renewal is
// due; and for requests that still show the previous secret the one that
// followed it, so that all of them end up with the same cookie.
func (d *draft) authenticate() {
	s := d.s
	gen := d.next.gen
	switch {
	case s.state == StateNew:
		d.chain(generation{})
	case s.login || s.renew:
		d.did |= DidRenew
		d.chain(generation{gen.chain + 1, 0})
	case s.followDue():
		d.follow()
	case d.now >= s.renewalDue() && d.next.renewalKey == nil: // renewal was switched on later
		d.makeRenewalKey()
	case d.now >= s.renewalDue():
		prev := d.next.secretHash
		next := generation{gen.chain, gen.step + 1}
		d.newSecret(derivedSecret(&d.next, d.rec.ID, next, shown(s.ticket.secret)), next)
		d.next.prevHash = prev[:]
		d.did |= DidRenew
	case s.sightingDue():
		d.next.nextSeenAt = d.now
	}
}

// renewalDue is when the secret that was shown is to be replaced. A message
// travels for less than RenewGrace. So by now every answer that gave this secret
// has arrived, none of which may put it back in the place of its successor, and
// so has every request that was sent before them with the secret before it.
func (s *Session) renewalDue() Time {
	p := &s.m.policy
	if p.RenewAfter == 0 || s.ticket.trusted || s.behind || s.req.NoCookie {
		return never
	}
	return max(s.in.renewedAt+p.RenewAfter, s.in.givenAt+2*p.RenewGrace)
}

func (p *Policy) aged(in *payload, now Time) bool {
	return p.RenewAfter != 0 && now-in.renewedAt >= p.RenewAfter
}

// gives reports whether the answer sets the cookie: if it is wanted, if the
// current secret is at hand, and not while that waits to be renewed, or whoever
// refreshes all the time would put the renewal off for ever.
func (d *draft) gives() bool {
	return d.cookie && d.ticket.gen == d.next.gen && d.ticket.secret != nil && (d.firm || !d.s.m.policy.aged(&d.next, d.now))
}

// followDue: the previous secret was shown, and the browser wants the current.
func (s *Session) followDue() bool {
	return s.behind && !s.req.NoCookie && s.in.renewalKey != nil && s.ticket.gen.step+1 == s.in.gen.step
}

// sightingDue: the current secret is shown for the first time after a renewal.
// From then on the previous one has its grace.
func (s *Session) sightingDue() bool {
	return !s.behind && !s.ticket.trusted && s.in.prevHash != nil && s.in.nextSeenAt == 0
}

// chain begins a new chain of secrets: nothing leads from the old one to it.
func (d *draft) chain(gen generation) {
	d.next.chainAt = d.now
	d.next.prevHash, d.next.renewalKey = nil, nil
	if d.s.m.policy.RenewAfter != 0 {
		d.makeRenewalKey()
	}
	d.newSecret(d.seed.part(useSecret), gen)
}

func (d *draft) makeRenewalKey() {
	d.next.renewalKey = hide(d.seed.part(useRenewalKey))
}

// follow answers a request that showed the previous secret with the current
// one. It goes with a save, so that no response sets a secret which a login
// has superseded meanwhile.
func (d *draft) follow() {
	secret := derivedSecret(&d.next, d.rec.ID, d.next.gen, shown(d.s.ticket.secret))
	if digest.Sum256(secret[:]) != d.next.secretHash {
		return
	}
	d.ticket = Ticket{ID: d.rec.ID, secret: hide(secret), gen: d.next.gen}
	d.cookie, d.firm = true, true
}

// derivedSecret is HMAC-SHA-256 under the renewal key over ID, generation and
// the secret before: whoever shows that one gets the same next one, always.
func derivedSecret(p *payload, id ID, gen generation, before *[32]byte) [32]byte {
	var msg [16 + 8 + 32]byte
	copy(msg[:], id[:])
	binary.BigEndian.PutUint32(msg[16:], gen.chain)
	binary.BigEndian.PutUint32(msg[20:], gen.step)
	copy(msg[24:], before[:])
	return digest.HMAC(shown(p.renewalKey)[:], msg[:])
}
