package core

import "github.com/rockstar-web/sessions/internal/unpack"

// ErrBytes means that bytes are none that AppendBytes wrote.
const ErrBytes Error = "session bytes are malformed, or of another release"

// taker takes sessions apart.
type taker struct{ unpack.Reader }

func (t *taker) id() (id ID) {
	copy(id[:], t.Take(len(id)))
	return id
}

func (t *taker) name() string {
	s := string(t.Short())
	t.Bad = t.Bad || !validName(s)
	return s
}

// flags refuses bits that no release before this one has set.
func (t *taker) flags(n, beyond uint16) uint16 {
	t.Bad = t.Bad || n >= beyond
	return n
}

// ReadSession returns the session that AppendBytes wrote, and what stands
// behind it. It refuses, with ErrBytes, what AppendBytes cannot have written.
// The session lies in b, which must not change.
func (m *Machine) ReadSession(b []byte) (s *Session, rest []byte, err error) {
	t := &taker{unpack.Reader{Rest: b}}
	s = &Session{m: m}
	t.Bad = t.Byte() != sessionBytesFormat
	s.state = State(t.Byte())
	t.Bad = t.Bad || s.state >= states
	f := t.flags(t.Uint16(), sessionFlags)
	s.owned, s.behind, s.old, s.login = f&flagOwned != 0, f&flagBehind != 0, f&flagOld != 0, f&flagLogin != 0
	s.renew, s.refresh, s.relimit, s.keep = f&flagRenew != 0, f&flagRefresh != 0, f&flagRelimit != 0, f&flagKeep != 0
	s.quiet, s.remember, s.outdated = f&flagQuiet != 0, f&flagRemember != 0, f&flagOutdated != 0
	t.Bad = t.Bad || s.outdated && s.state != StateEnded
	due := Time(t.Uint64())
	s.rec.ID, s.rec.Version = t.id(), Version(t.Uint64())
	s.rec.CreatedAt, s.rec.SeenAt, s.rec.ExpiresAt = Time(t.Uint64()), Time(t.Uint64()), Time(t.Uint64())
	s.rec.Tenant, s.rec.User = string(t.Short()), t.name()
	t.Bad = t.Bad || s.rec.Version>>63 != 0 || len(s.rec.Tenant) > MaxName+1
	if payload := t.Long(); s.rec.Version != NoVersion {
		if t.Bad || readPayload(payload, &s.in) != nil {
			return nil, nil, ErrBytes
		}
	} else {
		t.Bad = t.Bad || len(payload) > 0 || s.state == StateActive || s.outdated
	}
	s.cur = s.in.data
	if s.owned {
		s.cur = t.items()
	}
	if f&flagMarked != 0 {
		s.marks = t.marks()
	}
	if f&flagProving != 0 {
		s.proof = t.proving()
	}
	s.ticket, s.req = t.ticket(), t.request()
	s.replaces = t.id()
	s.user, s.lifetime = t.name(), Time(t.Uint64())
	if t.Bad || due != s.due() || s.lifetime < 0 || s.lifetime > MaxLifetime || s.cur.size > MaxSessionSize {
		return nil, nil, ErrBytes
	}
	return s, t.Rest, nil
}

// items holds names to their order and values to their encoding, as SetValue
// does.
func (t *taker) items() (v values) {
	n := t.Uint32()
	if t.Bad || uint64(n) > uint64(len(t.Rest))/7 { // a name of a byte and a value of none take 7
		t.Bad = true
		return v
	}
	v.list = make([]item, n)
	var last []byte
	for i := range v.list {
		e := item{t.Short(), t.Long()}
		if t.Bad || !validValueName(string(e.name)) || CheckValue(e.value) != nil ||
			compareNames(last, e.name) >= 0 {
			t.Bad = true
			return v
		}
		v.list[i], last = e, e.name
		v.size += itemOverhead + len(e.name) + len(e.value)
	}
	return v
}

// marks holds names to their order, and refuses what no request can have done.
func (t *taker) marks() (list []mark) {
	n := t.Uint32()
	if t.Bad || n == 0 || uint64(n) > uint64(len(t.Rest))/13 { // a name of a byte takes 13
		t.Bad = true
		return nil
	}
	for range n {
		m := mark{name: string(t.Short()), did: act(t.Byte())}
		f := t.flags(uint16(t.Byte()), markFlags)
		m.read, m.stale, m.again, m.delta = f&flagRead != 0, f&flagStale != 0, f&flagAgain != 0, int64(t.Uint64())
		t.Bad = t.Bad || m.did >= acts || !validValueName(m.name) || m.again && m.did != didUpdate ||
			m.stale && !m.read || m.delta != 0 && m.did != didAdd && m.did != didUpdate ||
			len(list) > 0 && !before(list[len(list)-1].name, m.name)
		if t.Bad {
			return nil
		}
		list = append(list, m)
	}
	return list
}

// proving refuses what no verb notes.
func (t *taker) proving() *proving {
	p := new(proving)
	copy(p.stamp[:], t.Take(len(p.stamp)))
	f := t.flags(uint16(t.Byte()), proofFlags)
	p.adopt, p.confirmed = f&flagAdopt != 0, f&flagConfirmed != 0
	p.at = Time(t.Uint64())
	if text := t.Short(); len(text) > 0 {
		p.methods = text
	}
	stamped := p.stamp != noStamp
	t.Bad = t.Bad || !validMethods(p.methods) || !stamped && !p.confirmed || p.adopt && !stamped || !p.confirmed && (p.at != 0 || p.methods != nil)
	return p
}

func before(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

func (t *taker) ticket() Ticket {
	k := Ticket{ID: t.id()}
	var secret [32]byte
	copy(secret[:], t.Take(len(secret)))
	if secret != [32]byte{} {
		k.secret = hide(secret)
	}
	k.gen = generation{t.Uint32(), t.Uint32()}
	k.epoch = t.Uint32()
	f := t.flags(uint16(t.Byte()), ticketFlags)
	k.old, k.trusted = f&flagTicketOld != 0, f&flagTicketTrusted != 0
	return k
}

func (t *taker) request() Request {
	q := Request{Tenant: string(t.Short()), IP: string(t.Short()), UserAgent: string(t.Short())}
	f := t.flags(uint16(t.Byte()), requestFlags)
	q.AnyTenant, q.NoCookie = f&flagAnyTenant != 0, f&flagNoCookie != 0
	q.HTTPS, q.Superseded, q.CrossSite = f&flagHTTPS != 0, f&flagSuperseded != 0, CrossSite(f/flagCrossSite&3)
	q.SignIn = f&flagSignIn != 0
	t.Bad = t.Bad || q.CrossSite >= crossSites || len(q.Tenant) > MaxName+1 || len(q.IP) > MaxAddress || len(q.UserAgent) > MaxUserAgent
	return q
}

// ReadTicket returns the ticket that AppendBytes wrote, and what stands behind.
func ReadTicket(b []byte) (Ticket, []byte, error) {
	t := &taker{unpack.Reader{Rest: b}}
	k := t.ticket()
	if t.Bad {
		return Ticket{}, nil, ErrBytes
	}
	return k, t.Rest, nil
}

// ReadRequest returns the request that AppendBytes wrote, and what stands behind.
func ReadRequest(b []byte) (Request, []byte, error) {
	t := &taker{unpack.Reader{Rest: b}}
	q := t.request()
	if t.Bad {
		return Request{}, nil, ErrBytes
	}
	return q, t.Rest, nil
}
