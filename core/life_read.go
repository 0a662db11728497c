package core

import "encoding/binary"

// ErrBytes means that bytes are none that AppendBytes wrote.
const ErrBytes Error = "session bytes are malformed, or of another release"

// taker takes bytes apart. What is missing makes it bad, and from then on it
// answers zeros.
type taker struct {
	b   []byte
	bad bool
}

func (t *taker) take(n int) []byte {
	if t.bad || n < 0 || n > len(t.b) {
		t.bad = true
		return nil
	}
	out := t.b[:n:n]
	t.b = t.b[n:]
	return out
}

func (t *taker) byte() byte {
	if b := t.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (t *taker) uint16() uint16 {
	if b := t.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (t *taker) uint32() uint32 {
	if b := t.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (t *taker) uint64() uint64 {
	if b := t.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (t *taker) id() (id ID) {
	copy(id[:], t.take(len(id)))
	return id
}

func (t *taker) short() []byte { return t.take(int(t.uint16())) }

func (t *taker) long() []byte {
	n := t.uint32()
	if uint64(n) > uint64(len(t.b)) { // int may have 32 bits
		t.bad = true
		return nil
	}
	return t.take(int(n))
}

func (t *taker) name() string {
	s := string(t.short())
	t.bad = t.bad || !validName(s)
	return s
}

// flags refuses bits that no release before this one has set.
func (t *taker) flags(n, beyond uint16) uint16 {
	t.bad = t.bad || n >= beyond
	return n
}

// ReadSession returns the session that AppendBytes wrote, and what stands
// behind it. It refuses, with ErrBytes, what AppendBytes cannot have written.
// The session lies in b, which must not change.
func (m *Machine) ReadSession(b []byte) (s *Session, rest []byte, err error) {
	t := &taker{b: b}
	s = &Session{m: m}
	t.bad = t.byte() != sessionBytesFormat
	s.state = State(t.byte())
	t.bad = t.bad || s.state >= states
	f := t.flags(t.uint16(), sessionFlags)
	s.owned, s.behind, s.old, s.login = f&flagOwned != 0, f&flagBehind != 0, f&flagOld != 0, f&flagLogin != 0
	s.renew, s.refresh, s.relimit, s.keep = f&flagRenew != 0, f&flagRefresh != 0, f&flagRelimit != 0, f&flagKeep != 0
	s.quiet, s.remember = f&flagQuiet != 0, f&flagRemember != 0
	due := Time(t.uint64())
	s.rec.ID, s.rec.Version = t.id(), Version(t.uint64())
	s.rec.CreatedAt, s.rec.SeenAt, s.rec.ExpiresAt = Time(t.uint64()), Time(t.uint64()), Time(t.uint64())
	s.rec.Tenant, s.rec.User = string(t.short()), t.name()
	t.bad = t.bad || s.rec.Version>>63 != 0 || len(s.rec.Tenant) > MaxName+1
	if payload := t.long(); s.rec.Version != NoVersion {
		if t.bad || readPayload(payload, &s.in) != nil {
			return nil, nil, ErrBytes
		}
	} else {
		t.bad = t.bad || len(payload) > 0 || s.state == StateActive
	}
	s.cur = s.in.data
	if s.owned {
		s.cur = t.items()
	}
	if f&flagMarked != 0 {
		s.marks = t.marks()
	}
	s.ticket, s.req = t.ticket(), t.request()
	s.replaces = t.id()
	s.user, s.lifetime = t.name(), Time(t.uint64())
	if t.bad || due != s.due() || s.lifetime < 0 || s.lifetime > MaxLifetime || s.cur.size > MaxSessionSize {
		return nil, nil, ErrBytes
	}
	return s, t.b, nil
}

// items holds names to their order and values to their encoding, as SetValue
// does.
func (t *taker) items() (v values) {
	n := t.uint32()
	if t.bad || uint64(n) > uint64(len(t.b))/7 { // a name of a byte and a value of none take 7
		t.bad = true
		return v
	}
	v.list = make([]item, n)
	var last []byte
	for i := range v.list {
		e := item{t.short(), t.long()}
		if t.bad || !validValueName(string(e.name)) || CheckValue(e.value) != nil ||
			compareNames(last, e.name) >= 0 {
			t.bad = true
			return v
		}
		v.list[i], last = e, e.name
		v.size += itemOverhead + len(e.name) + len(e.value)
	}
	return v
}

// marks holds names to their order, and refuses what no request can have done.
func (t *taker) marks() (list []mark) {
	n := t.uint32()
	if t.bad || n == 0 || uint64(n) > uint64(len(t.b))/13 { // a name of a byte takes 13
		t.bad = true
		return nil
	}
	for range n {
		m := mark{name: string(t.short()), did: act(t.byte())}
		f := t.flags(uint16(t.byte()), markFlags)
		m.read, m.stale, m.again, m.delta = f&flagRead != 0, f&flagStale != 0, f&flagAgain != 0, int64(t.uint64())
		t.bad = t.bad || m.did >= acts || !validValueName(m.name) || m.again && m.did != didUpdate ||
			m.stale && !m.read || m.delta != 0 && m.did != didAdd && m.did != didUpdate ||
			len(list) > 0 && !before(list[len(list)-1].name, m.name)
		if t.bad {
			return nil
		}
		list = append(list, m)
	}
	return list
}

func before(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

func (t *taker) ticket() Ticket {
	k := Ticket{ID: t.id()}
	var secret [32]byte
	copy(secret[:], t.take(len(secret)))
	if secret != [32]byte{} {
		k.secret = hide(secret)
	}
	k.gen = generation{t.uint32(), t.uint32()}
	k.epoch = t.uint32()
	f := t.flags(uint16(t.byte()), ticketFlags)
	k.old, k.trusted = f&flagTicketOld != 0, f&flagTicketTrusted != 0
	return k
}

func (t *taker) request() Request {
	q := Request{Tenant: string(t.short()), IP: string(t.short()), UserAgent: string(t.short())}
	f := t.flags(uint16(t.byte()), requestFlags)
	q.AnyTenant, q.NoCookie = f&flagAnyTenant != 0, f&flagNoCookie != 0
	q.HTTPS, q.Superseded, q.CrossSite = f&flagHTTPS != 0, f&flagSuperseded != 0, CrossSite(f/flagCrossSite&3)
	q.SignIn = f&flagSignIn != 0
	t.bad = t.bad || q.CrossSite >= crossSites || len(q.Tenant) > MaxName+1 || len(q.IP) > MaxAddress || len(q.UserAgent) > MaxUserAgent
	return q
}

// ReadTicket returns the ticket that AppendBytes wrote, and what stands behind.
func ReadTicket(b []byte) (Ticket, []byte, error) {
	t := &taker{b: b}
	k := t.ticket()
	if t.bad {
		return Ticket{}, nil, ErrBytes
	}
	return k, t.b, nil
}

// ReadRequest returns the request that AppendBytes wrote, and what stands behind.
func ReadRequest(b []byte) (Request, []byte, error) {
	t := &taker{b: b}
	q := t.request()
	if t.bad {
		return Request{}, nil, ErrBytes
	}
	return q, t.b, nil
}
