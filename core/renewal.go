package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// authenticate decides on the secret: a new one at the beginning, at a login
// and at a change of privilege; the next one of the chain when a renewal is
// due; and for requests that still show the previous secret the one that
// followed it, so that all of them end up with the same cookie.
func (d *draft) authenticate() {
	s, p := d.s, &d.s.m.policy
	gen := d.next.gen
	switch {
	case s.state == StateNew:
		d.chain(generation{})
	case s.login || s.renew:
		d.did |= DidRenew
		d.chain(generation{gen.chain + 1, 0})
	case s.ticket.trusted:
	case s.behind:
		d.follow()
	case p.RenewAfter != 0 && d.now-d.next.renewedAt >= p.RenewAfter && !s.req.NoCookie:
		if d.next.renewalKey == nil { // renewal was switched on later
			d.makeRenewalKey()
			d.write, d.did = true, d.did|DidTouch
			return
		}
		prev := d.next.secretHash
		next := derivedSecret(&d.next, d.rec.ID, generation{gen.chain, gen.step + 1}, &s.ticket.secret)
		d.newSecret(next, generation{gen.chain, gen.step + 1})
		d.next.prevHash = prev[:]
		d.did |= DidRenew
	case d.next.prevHash != nil && d.next.nextSeenAt == 0:
		d.next.nextSeenAt = d.now
		d.write, d.did = true, d.did|DidTouch
	}
}

// chain begins a new chain of secrets: nothing leads from the old one to it.
func (d *draft) chain(gen generation) {
	d.next.prevHash, d.next.renewalKey = nil, nil
	if d.s.m.policy.RenewAfter != 0 {
		d.makeRenewalKey()
	}
	d.newSecret(d.seed.part(useSecret), gen)
}

func (d *draft) makeRenewalKey() {
	key := d.seed.part(useRenewalKey)
	d.next.renewalKey = key[:]
}

// follow answers a request that showed the previous secret with the current
// one. It goes with a save, so that no response sets a secret which a login
// has superseded meanwhile; and not where the next renewal is due already.
func (d *draft) follow() {
	s, p := d.s, &d.s.m.policy
	if s.req.NoCookie || d.now-d.next.renewedAt >= p.RenewAfter || d.next.renewalKey == nil {
		return
	}
	secret := derivedSecret(&d.next, d.rec.ID, d.next.gen, &s.ticket.secret)
	if sha256.Sum256(secret[:]) != d.next.secretHash {
		return
	}
	d.ticket = Ticket{ID: d.rec.ID, secret: secret, gen: d.next.gen}
	d.cookie, d.write, d.firm = true, true, true
}

// derivedSecret is HMAC-SHA-256 under the renewal key over ID, generation and
// the secret before: whoever shows that one gets the same next one, always.
func derivedSecret(p *payload, id ID, gen generation, before *[32]byte) [32]byte {
	var g [8]byte
	binary.BigEndian.PutUint32(g[:], gen.chain)
	binary.BigEndian.PutUint32(g[4:], gen.step)
	return newMacKey((*[32]byte)(p.renewalKey)).sum(id[:], g[:], before[:])
}
