package core

import (
	"encoding/base64"
	"encoding/binary"
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

// openCookie opens the value of a cookie of the name and tenant.
func (r *ring) openCookie(o *opening, name, value, tenant string, now Time) (t Ticket, _ error) {
	if len(value) != cookieLen {
		return t, ErrMalformed
	}
	if n, err := strictBase64.Decode(o.raw[:], []byte(value)); err != nil || n != cookieRawLen {
		return t, ErrMalformed
	}
	h, err := r.check(o.raw[:], now)
	if err != nil {
		return t, err
	}
	aad := cookieAAD(o.aad[:0], o.raw[:headerLen], name, tenant)
	plain, err := r.open(o.raw[headerLen+nonceLen:headerLen+nonceLen], o.raw[:], aad, h, purposeCookie)
	if err != nil {
		return t, err
	}
	t.ID = ID(plain[:16])
	t.secret = o.keep([32]byte(plain[16:48]))
	t.gen = generation{binary.BigEndian.Uint32(plain[48:]), binary.BigEndian.Uint32(plain[52:])}
	t.epoch = h.epoch
	t.old = h.key != r.sealing(now)
	return t, nil
}

// sealing is the scratch memory of appendCookie.
type sealing struct {
	plain [cookiePlainLen]byte
	raw   [cookieRawLen]byte
	aad   [usualAAD]byte
}

// appendCookie appends the value of a cookie.
func (r *ring) appendCookie(dst []byte, t *Ticket, name, tenant string, now Time, seed *Seed) ([]byte, error) {
	key := r.sealing(now)
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
	raw, err := r.seal(raw, w.plain[:], cookieAAD(w.aad[:0], raw, name, tenant), h, purposeCookie, seed)
	if err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.AppendEncode(dst, raw), nil
}

func cookieAAD(dst, head []byte, name, tenant string) []byte {
	dst = append(dst, head...)
	dst = appendField(dst, purposeCookie)
	dst = appendField(dst, name)
	return appendField(dst, tenant)
}
