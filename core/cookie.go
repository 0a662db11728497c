package core

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
)

// The plaintext of a cookie is always 56 bytes:
//
//	ID 16 | secret 32 | chain 4 | step 4
//
// The value is the sealed format in base64url without padding: 124 characters.
// Its AAD is header | lp(purpose) | lp(cookie name) | lp(tenant), where lp is a
// length in 2 bytes, big-endian, and then the bytes.
const (
	cookiePlainLen = 16 + 32 + 8
	cookieRawLen   = sealedExtra + cookiePlainLen
	cookieLen      = cookieRawLen / 3 * 4 // 93 bytes are 31 groups of 3: no rest
)

// The longest name still leaves room for the value in what browsers keep.
const _ = uint(MaxCookieSize - MaxNameLength - len("=") - cookieLen)

// generation tells the secrets of one session apart. Every login and privilege
// change begins a new chain; a periodic renewal is one step in it.
type generation struct{ chain, step uint32 }

// Ticket is what an authentic cookie says: which session, and by what right.
type Ticket struct {
	ID      ID
	secret  hidden
	gen     generation
	epoch   uint32
	old     bool // sealed under a key that no longer seals
	trusted bool // not from a visitor: see ByID
}

// ByID returns the ticket of a program that handles a session by its ID, with
// no visitor behind it: nothing is proven, bound or counted as a use.
func ByID(id ID) Ticket { return Ticket{ID: id, trusted: true} }

// opening is the only allocation of Identify for one cookie.
type opening struct {
	raw     [cookieRawLen]byte
	aad     [usualAAD]byte
	tickets [1]Ticket
	secret  vault // of the first ticket
}

// keep returns the place of a ticket's secret. A ticket only points to it, so that
// no secret is in what is printed.
func (o *opening) keep(secret [32]byte) hidden {
	if o.secret.at == nil {
		return o.secret.hide(secret)
	}
	return hide(secret)
}

// usualAAD is room for the AAD of usual cookie names and tenants; longer ones
// cost an allocation.
const usualAAD = 48

// Identify reads the session cookies among the Cookie header fields of one
// request: browsers also send cookies of former paths and domains, and those
// that a neighbouring host has set. It returns the authentic ones, newest first
// and one for each session, of MaxCookies sessions at most, or the Refusal that
// tells why there is none. What does not open takes no place among them: only
// MaxCookieBytes bound how much of it is tried. It never asks a store.
func (m *Machine) Identify(cookies []string, tenant string, now Time) ([]Ticket, error) {
	var (
		o       *opening
		tickets []Ticket
		refused = ErrNoCookie
		tried   int
	)
	for _, field := range cookies {
		for field != "" && len(tickets) < MaxCookies && tried+cookieLen <= MaxCookieBytes {
			value, rest, ok := nextCookie(field, m.policy.CookieName)
			field = rest
			if !ok {
				continue
			}
			if len(value) != cookieLen {
				refused = worse(refused, ErrMalformed)
				continue
			}
			tried += cookieLen
			if o == nil {
				o = new(opening)
				tickets = o.tickets[:0]
			}
			t, err := m.openCookie(o, value, tenant, now)
			if err != nil {
				refused = worse(refused, err)
				continue
			}
			tickets = insertTicket(tickets, t)
		}
	}
	if len(tickets) == 0 {
		return nil, refused
	}
	return tickets, nil
}

// nextCookie cuts the first pair off a Cookie field and reports whether it
// bears the name. Names are compared as they are: nothing is decoded.
func nextCookie(field, name string) (value, rest string, ok bool) {
	pair := field
	if i := strings.IndexByte(field, ';'); i >= 0 {
		pair, rest = field[:i], field[i+1:]
	}
	for pair != "" && (pair[0] == ' ' || pair[0] == '\t') {
		pair = pair[1:]
	}
	if len(pair) <= len(name) || pair[len(name)] != '=' || pair[:len(name)] != name {
		return "", rest, false
	}
	value = pair[len(name)+1:]
	for value != "" && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	return value, rest, true
}

func (m *Machine) openCookie(o *opening, value, tenant string, now Time) (t Ticket, _ error) {
	if len(value) != cookieLen {
		return t, ErrMalformed
	}
	if n, err := strictBase64.Decode(o.raw[:], []byte(value)); err != nil || n != cookieRawLen {
		return t, ErrMalformed
	}
	h, err := m.ring.check(o.raw[:], now)
	if err != nil {
		return t, err
	}
	aad := m.cookieAAD(o.aad[:0], o.raw[:headerLen], tenant)
	plain, err := m.ring.open(o.raw[headerLen+nonceLen:headerLen+nonceLen], o.raw[:], aad, h, purposeCookie)
	if err != nil {
		return t, err
	}
	t.ID = ID(plain[:16])
	t.secret = o.keep([32]byte(plain[16:48]))
	t.gen = generation{binary.BigEndian.Uint32(plain[48:]), binary.BigEndian.Uint32(plain[52:])}
	t.epoch = h.epoch
	t.old = h.key != m.ring.sealing(now)
	return t, nil
}

// sealing is the scratch memory of appendCookie.
type sealing struct {
	plain [cookiePlainLen]byte
	raw   [cookieRawLen]byte
	aad   [usualAAD]byte
}

// appendCookie appends the value of a cookie.
func (m *Machine) appendCookie(dst []byte, t *Ticket, tenant string, now Time, seed *Seed) ([]byte, error) {
	key := m.ring.sealing(now)
	if key == nil {
		return nil, ErrNoSealing
	}
	h := header{key, epochOf(now)}
	w := new(sealing)
	copy(w.plain[:], t.ID[:])
	copy(w.plain[16:], shown(t.secret)[:])
	binary.BigEndian.PutUint32(w.plain[48:], t.gen.chain)
	binary.BigEndian.PutUint32(w.plain[52:], t.gen.step)
	raw := appendHeader(w.raw[:0], h)
	raw, err := m.ring.seal(raw, w.plain[:], m.cookieAAD(w.aad[:0], raw, tenant), h, purposeCookie, seed)
	if err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.AppendEncode(dst, raw), nil
}

func (m *Machine) cookieAAD(dst, head []byte, tenant string) []byte {
	dst = append(dst, head...)
	dst = appendField(dst, purposeCookie)
	dst = appendField(dst, m.policy.CookieName)
	return appendField(dst, tenant)
}

// appendField appends a length in 2 bytes and the text. Everything that is
// given here is shorter than MaxCookieSize.
func appendField(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// insertTicket keeps one ticket for each session, its latest generation, and
// orders sessions by the hour of sealing, the newest first.
func insertTicket(tickets []Ticket, t Ticket) []Ticket {
	for i := range tickets {
		old := &tickets[i]
		if old.ID != t.ID {
			continue
		}
		if !t.later(old) {
			return tickets
		}
		tickets = slices.Delete(tickets, i, i+1)
		break
	}
	tickets = append(tickets, t)
	for i := len(tickets) - 1; i > 0 && tickets[i].epoch > tickets[i-1].epoch; i-- {
		tickets[i], tickets[i-1] = tickets[i-1], tickets[i]
	}
	return tickets
}

// later compares two tickets of one session: by chain, step, then epoch.
func (t *Ticket) later(old *Ticket) bool {
	switch {
	case t.gen.chain != old.gen.chain:
		return t.gen.chain > old.gen.chain
	case t.gen.step != old.gen.step:
		return t.gen.step > old.gen.step
	}
	return t.epoch > old.epoch
}

// worse keeps the refusal of the cookie that came closest to being opened.
func worse(a *Refusal, err error) *Refusal {
	b, ok := err.(*Refusal)
	if !ok {
		return ErrMalformed
	}
	if closeness(b.Reason) > closeness(a.Reason) {
		return b
	}
	return a
}

func closeness(r Reason) int {
	switch r {
	case ReasonNone:
		return 0
	case ReasonMalformed:
		return 1
	case ReasonUnknownKey:
		return 2
	case ReasonNotAuthentic:
		return 3
	}
	return 4
}

func unknownKey(id keyID) *Refusal {
	return refusal(ReasonUnknownKey, ErrUnknownKey.text+" "+id.String()+
		"; do all servers have the same keys, and was one replaced?")
}

// sealedAhead is of an hour that no clock of ours can have written, unless one of
// them is wrong. The hour is what the message says: it is not authenticated yet.
func sealedAhead(hours uint32) *Refusal {
	return refusal(ReasonNotAuthentic, ErrNotAuthentic.text+": by its hour it was sealed "+decimal(int(min(hours, 1<<30)))+
		" hours ahead of this server's clock; check the clocks of all servers")
}

func unknownFormat(version byte) *Refusal {
	return refusal(ReasonMalformed, "failed to decrypt session ID: sealed in format "+decimal(int(version))+
		", this release reads format "+decimal(sealedVersion))
}
