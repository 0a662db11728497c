package core

// bound holds the request's address and user agent against the session's.
func (s *Session) bound() error {
	if err := s.boundAddress(); err != nil {
		return err
	}
	if s.m.policy.BindUserAgent && string(s.in.userAgent) != clip(s.req.UserAgent, MaxUserAgent) {
		return ErrUserAgentChanged
	}
	return nil
}

// boundAddress holds an address against the one of its family. A session knows
// at most two: the creating request's, and one of the other family from which
// its user has signed in since. Another family than these is no proof of theft,
// since many clients have both, and none of innocence.
func (s *Session) boundAddress() error {
	signIn, held := s.req.SignIn, false
	s.req.SignIn = false
	for _, known := range [...][]byte{s.in.ip, s.in.otherIP} {
		bits := s.m.policy.bits(known)
		switch {
		case len(known) == 0:
		case len(known) != len(s.req.IP):
			held = held || bits > 0
		case bits > 0 && !samePrefix(string(known), s.req.IP, bits):
			return ErrIPChanged
		default:
			return nil
		}
	}
	switch {
	case !held:
		return nil
	case s.req.IP == "":
		return ErrIPChanged
	case signIn && s.rec.User != "":
		s.req.SignIn = true
		return nil
	}
	return ErrIPFamily
}

// bits is how much of an address the policy holds sessions to.
func (p *Policy) bits(ip []byte) int {
	if len(ip) == 16 {
		return p.BindIPv6Bits
	}
	return p.BindIPv4Bits
}

// samePrefix compares the first bits of two addresses of one family.
func samePrefix(a, b string, bits int) bool {
	if len(a) != len(b) || bits > 8*len(a) {
		return false
	}
	whole := bits / 8
	if a[:whole] != b[:whole] {
		return false
	}
	return bits%8 == 0 || (a[whole]^b[whole])>>(8-bits%8) == 0
}

// enrol remembers the address of a Login that came over another family than the
// creating request. Nothing else does: whoever has stolen a cookie cannot sign
// in, and so cannot make their address the session's.
func (d *draft) enrol() {
	ip := d.s.req.IP
	if d.s.state == StateActive && !d.s.ticket.trusted && ip != "" && len(ip) != len(d.next.ip) {
		d.next.otherIP = []byte(clip(ip, MaxAddress))
	}
}
