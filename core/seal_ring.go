package core

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/rockstar-web/sessions/internal/aesgcm"
	"github.com/rockstar-web/sessions/internal/digest"
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

// emptyRing has no key: it opens and seals nothing.
func emptyRing(longest Time) *ring {
	r := &ring{oldest: longest}
	r.ready.Store(&map[subkeyName]*subkey{})
	return r
}

func newRing(keys KeyRing, longest Time) (*ring, error) {
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	if len(keys) > MaxKeys {
		return nil, ErrTooManyKeys
	}
	r := emptyRing(longest)
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

// after returns the key that takes over from one that seals from the moment given.
func (r *ring) after(from Time) *ringKey {
	var next *ringKey
	for i := range r.keys {
		if k := &r.keys[i]; k.from > from && (next == nil || k.from < next.from) {
			next = k
		}
	}
	return next
}

// warnings tells which keys are taken out of use before the cookies under them
// have run out.
func (r *ring) warnings(lifetime Time) (list []string) {
	for _, k := range r.keys {
		next := r.after(k.from)
		switch {
		case k.till == 0:
		case next == nil:
			list = append(list, "encryption key "+k.id.String()+
				" stops opening cookies and has no successor: add a newer key before, or cookies encrypted last are lost early")
		case k.till < next.from+lifetime:
			list = append(list, "encryption key "+k.id.String()+" opens cookies for "+millis(k.till-next.from)+
				" after its successor takes over, but cookies live for "+millis(lifetime)+": let it open them longer, or they are lost early")
		}
	}
	return list
}
