package core

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/rockstar-web/sessions/internal/aesgcm"
	"github.com/rockstar-web/sessions/internal/digest"
)

// The sealed format, of cookies (then base64url without padding) and of
// records (as it is):
//
//	version 1 | keyID 4 | epoch 4 | nonce 12 | ciphertext | tag 16
const (
	sealedVersion = 1
	headerLen     = 1 + 4 + 4
	nonceLen      = 12
	tagLen        = 16
	sealedExtra   = headerLen + nonceLen + tagLen
)

// Purposes keep one kind of message from being taken for another.
const (
	purposeCookie = "cookie"
	purposeRecord = "record"
)

// A ring finds keys by ID and keeps AEADs that are ready: one for each key,
// purpose and epoch. An epoch is a Unix hour, so one subkey seals far fewer
// messages than the 2^32 that random nonces allow (NIST SP 800-38D, 8.3).
type ring struct {
	keys   []ringKey
	oldest Time // an epoch further back than this opens nothing
	ready  atomic.Pointer[map[subkeyName]*subkey]
	latest [2]atomic.Pointer[subkey] // of the newest epoch that was used, by purpose
}

type ringKey struct {
	id   keyID
	key  Secret
	from Time
	till Time
}

type subkeyName struct {
	key    keyID
	epoch  uint32
	record bool
}

type subkey struct {
	name  subkeyName
	aead  aesgcm.AEAD
	nonce [32]byte
}

func newRing(keys KeyRing, longest Time) (*ring, error) {
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	if len(keys) > MaxKeys {
		return nil, ErrTooManyKeys
	}
	r := &ring{oldest: longest}
	for _, k := range keys {
		b, err := keyBytes(k.Bytes.Bytes())
		if err != nil {
			return nil, err
		}
		if k.OpenUntil != 0 && k.OpenUntil < k.SealFrom {
			return nil, ErrKeyTimes
		}
		id := idOfKey(b)
		if r.find(id) != nil {
			return nil, ErrSameKey
		}
		r.keys = append(r.keys, ringKey{id, NewSecret(b), k.SealFrom, k.OpenUntil})
	}
	if _, err := derive(r.keys[0].key.Bytes(), 0, purposeCookie); err != nil {
		return nil, ErrNoCipher
	}
	r.ready.Store(&map[subkeyName]*subkey{})
	return r, nil
}

func (r *ring) find(id keyID) *ringKey {
	for i := range r.keys {
		if r.keys[i].id == id {
			return &r.keys[i]
		}
	}
	return nil
}

func (k *ringKey) opens(now Time) bool { return k.till == 0 || now < k.till }

// sealing returns the key that seals now: the one that began last.
func (r *ring) sealing(now Time) *ringKey {
	var best *ringKey
	for i := range r.keys {
		k := &r.keys[i]
		if k.from <= now && k.opens(now) && (best == nil || k.from > best.from) {
			best = k
		}
	}
	return best
}

func epochOf(now Time) uint32 { return uint32(max(now, 0) / Hour) }

// header of a sealed message, checked before anything is derived from it.
type header struct {
	key   *ringKey
	epoch uint32
}

// check reads the header of a sealed message. Epochs that no clock of ours can
// have written are refused here, so that nobody makes us derive keys for them.
func (r *ring) check(msg []byte, now Time) (header, error) {
	if len(msg) < sealedExtra {
		return header{}, ErrMalformed
	}
	if msg[0] != sealedVersion {
		return header{}, unknownFormat(msg[0])
	}
	h := header{r.find(keyID(msg[1:5])), binary.BigEndian.Uint32(msg[5:9])}
	current := epochOf(now)
	switch {
	case h.key == nil || !h.key.opens(now):
		return header{}, unknownKey(keyID(msg[1:5]))
	case h.epoch > current && h.epoch-current > 1:
		return header{}, sealedAhead(h.epoch - current)
	case h.epoch < current && Time(current-h.epoch-1)*Hour >= r.oldest:
		return header{}, ErrExpired
	}
	return h, nil
}

// open appends the plaintext of msg to dst. The AEAD is kept only after a
// message was authentic, so forged ones cannot push out those in use.
func (r *ring) open(dst, msg, aad []byte, h header, purpose string) ([]byte, error) {
	sub, cached, err := r.subkey(h, purpose)
	if err != nil {
		return nil, err
	}
	plain, err := sub.aead.Open(dst, msg[headerLen:headerLen+nonceLen], msg[headerLen+nonceLen:], aad)
	if err != nil {
		return nil, ErrNotAuthentic
	}
	if !cached {
		r.keep(sub)
	}
	return plain, nil
}

// seal appends a sealed message whose header stands in dst already. The nonce
// is hedged: derived from a key of this epoch and purpose, the seed, the AAD
// and the plaintext. A seed that comes twice can repeat a message, but never a nonce
// under another plaintext.
func (r *ring) seal(dst, plain, aad []byte, h header, purpose string, seed *Seed) ([]byte, error) {
	sub, cached, err := r.subkey(h, purpose)
	if err != nil {
		return nil, err
	}
	if !cached {
		r.keep(sub)
	}
	nonce := oneStep(&sub.nonce, seed[:], aad, plain)
	dst = append(dst, nonce[:nonceLen]...)
	return sub.aead.Seal(dst, dst[len(dst)-nonceLen:], plain, aad), nil
}

func appendHeader(dst []byte, h header) []byte {
	dst = append(dst, sealedVersion)
	dst = append(dst, h.key.id[:]...)
	return binary.BigEndian.AppendUint32(dst, h.epoch)
}

func (r *ring) subkey(h header, purpose string) (s *subkey, cached bool, err error) {
	name := subkeyName{h.key.id, h.epoch, purpose == purposeRecord}
	latest := &r.latest[0]
	if name.record {
		latest = &r.latest[1]
	}
	newest := latest.Load()
	if newest != nil && newest.name == name {
		return newest, true, nil
	}
	if s, ok := (*r.ready.Load())[name]; ok {
		if newest == nil || newest.name.epoch < name.epoch {
			latest.Store(s)
		}
		return s, true, nil
	}
	s, err = derive(h.key.key.Bytes(), h.epoch, purpose)
	if err == nil {
		s.name = name
	}
	return s, false, err
}

// derive makes a subkey by HKDF-SHA-256 (RFC 5869), without salt: 32 bytes for
// AES-256-GCM and 32 for the nonces. It fails only where the platform refuses
// the cipher, which newRing finds out.
func derive(key []byte, epoch uint32, purpose string) (*subkey, error) {
	info := binary.BigEndian.AppendUint32([]byte("rockstar sessions v1 "+purpose+"\x00"), epoch)
	out, err := digest.HKDF(key, string(info))
	if err != nil {
		return nil, err
	}
	aead, err := aesgcm.New((*[32]byte)(out))
	if err != nil {
		return nil, err
	}
	return &subkey{aead: aead, nonce: [32]byte(out[32:])}, nil
}

// keep remembers a subkey: copy on write, at most MaxCachedAEADs. When full,
// the oldest epoch makes room, unless s itself is older still.
func (r *ring) keep(s *subkey) {
	name := s.name
	for {
		old := r.ready.Load()
		if _, ok := (*old)[name]; ok {
			return
		}
		var oldest subkeyName
		if len(*old) >= MaxCachedAEADs {
			oldest.epoch = ^uint32(0)
			for n := range *old { // which of equal epochs goes reaches no bytes
				if n.epoch < oldest.epoch {
					oldest = n
				}
			}
			if oldest.epoch >= name.epoch {
				return
			}
		}
		next := make(map[subkeyName]*subkey, len(*old)+1)
		for n, v := range *old {
			if n != oldest {
				next[n] = v
			}
		}
		next[name] = s
		if r.ready.CompareAndSwap(old, &next) {
			return
		}
	}
}

// checkRecord reads the header of a sealed record. Records come from the
// store, not from a visitor; a key opens its records for as long as it is in
// the ring, because a record outlives what it was sealed with.
func (r *ring) checkRecord(msg []byte) (header, error) {
	if len(msg) < sealedExtra {
		return header{}, ErrCorrupt
	}
	if msg[0] != sealedVersion {
		return header{}, refusal(ReasonCorrupt, "session record is sealed in format "+decimal(int(msg[0]))+
			", this release reads format "+decimal(sealedVersion))
	}
	id := keyID(msg[1:5])
	h := header{r.find(id), binary.BigEndian.Uint32(msg[5:9])}
	if h.key == nil {
		return header{}, refusal(ReasonCorrupt, "session record is sealed under key "+id.String()+", which is not in the ring")
	}
	return h, nil
}
