package core

import (
	"crypto/subtle"
	"slices"
)

// RenewWith is Renew after the program has changed the credentials of the user
// itself: the session goes on under their new stamp. Where another request has ended it
// meanwhile because of that change, Rebase begins a new one in its place.
func (s *Session) RenewWith(stamp string) error {
	if stamp == "" || len(stamp) > MaxStamp {
		return ErrStamp
	}
	return s.renewFor(&proving{stamp: stampOf(s.rec.Tenant, s.user, stamp)})
}

// Confirm notes that the user has just proved once more who they are, and by which
// methods, in place of those before. It makes a new secret, as Renew does.
func (s *Session) Confirm(methods ...string) error {
	if err := CheckMethods(methods); err != nil {
		return err
	}
	text, _ := joined(methods)
	return s.renewFor(&proving{confirmed: true, methods: text})
}

func (s *Session) renewFor(p *proving) error {
	if s.user == "" && s.state != StateEnded {
		return ErrNobody
	}
	if err := s.Renew(); err != nil {
		return err
	}
	s.proof = p.over(s.proof)
	return nil
}

// Adopt has the session keep a stamp if it has none: the next commit stores it, as it
// stores a use. It is for sessions from before the program gave stamps.
func (s *Session) Adopt(stamp string) error {
	switch {
	case stamp == "" || len(stamp) > MaxStamp:
		return ErrStamp
	case s.Stamped():
		return nil
	case s.user == "" || s.state != StateActive:
		return ErrNobody
	}
	p := &proving{stamp: stampOf(s.rec.Tenant, s.user, stamp), adopt: true}
	s.proof = p.over(s.proof)
	return nil
}

// stamp is the one that the next commit leaves.
func (s *Session) stamp() *[32]byte {
	_, stamp, _ := s.in.proven()
	if s.login {
		stamp = &noStamp
	}
	if p := s.proof; p != nil && p.stamp != noStamp && (!p.adopt || *stamp == noStamp) {
		stamp = &p.stamp
	}
	return stamp
}

// Stamped reports whether the session has a stamp, or will have one by what the
// request did.
func (s *Session) Stamped() bool { return *s.stamp() != noStamp }

// HasStamp reports whether the stamp of the session is of these credentials. It
// takes as long whatever the stamp is.
func (s *Session) HasStamp(stamp string) bool {
	given := stampOf(s.rec.Tenant, s.user, stamp)
	return subtle.ConstantTimeCompare(given[:], s.stamp()[:]) == 1 && stamp != ""
}

// OtherStamp reports whether both sessions have a stamp and not the same: of one user they
// were signed in with different credentials.
func (s *Session) OtherStamp(other *Session) bool {
	a, b := s.stamp(), other.stamp()
	return *a != noStamp && *b != noStamp && *a != *b
}

// StampsAnew reports whether the program has given a stamp in this request, by a login
// or RenewWith.
func (s *Session) StampsAnew() bool {
	return s.proof != nil && s.proof.stamp != noStamp && !s.proof.adopt
}

// SignsIn reports whether the request has signed a user in, and not stored it yet.
func (s *Session) SignsIn() bool { return s.login }

// ByID reports whether the session was opened by its ID and not by a cookie.
func (s *Session) ByID() bool { return s.ticket.trusted }

// ProvenAt returns when the user last proved who they are, by a login or Confirm;
// zero if nobody has signed in.
func (s *Session) ProvenAt() Time {
	at, _, _ := s.in.proven()
	return at
}

// ProvenWithin reports whether the user has proved who they are in the last d before
// now. A proof that lies ahead of the clock by more than MaxSkew does not count.
func (s *Session) ProvenWithin(d, now Time) bool {
	at := s.ProvenAt()
	return at != 0 && now-at < d && at-now <= MaxSkew
}

// Methods returns the names of the methods by which the user last proved who they
// are, in order; none if the program has not said.
func (s *Session) Methods() []string {
	_, _, text := s.in.proven()
	var names []string
	for len(text) > 0 {
		var name []byte
		name, text = cutMethod(text)
		names = append(names, string(name))
	}
	return names
}

// ProvenBy reports whether all of these are among Methods.
func (s *Session) ProvenBy(methods ...string) bool {
	_, _, all := s.in.proven()
	for _, method := range methods {
		found := false
		for text := all; len(text) > 0 && !found; {
			var name []byte
			name, text = cutMethod(text)
			found = string(name) == method
		}
		if !found {
			return false
		}
	}
	return true
}

// cutMethod returns the first of the methods of a record, and the others.
func cutMethod(text []byte) (name, others []byte) {
	if at := slices.Index(text, ' '); at >= 0 {
		return text[:at], text[at+1:]
	}
	return text, nil
}
