package core

import "encoding/binary"

// checkRecord reads the header of a sealed record. Records come from the
// store, not from a visitor; a key opens its records for as long as it is in
// the ring, because a record outlives what it was sealed with.
func (k *ring) checkRecord(msg []byte) (header, error) {
	if len(msg) < sealedExtra {
		return header{}, ErrCorrupt
	}
	if msg[0] != sealedVersion {
		return header{}, refusal(ReasonCorrupt, "session record is sealed in format "+decimal(int(msg[0]))+
			", this release reads format "+decimal(sealedVersion))
	}
	id := keyID(msg[1:5])
	h := header{k.find(id), binary.BigEndian.Uint32(msg[5:9])}
	if h.key == nil {
		return header{}, refusal(ReasonCorrupt, "session record is sealed under key "+id.String()+", which is not in the ring")
	}
	return h, nil
}

// recordAADLen is the length of a record's AAD without tenant and user.
const recordAADLen = headerLen + 2 + len(purposeRecord) + 16 + 4*8 + 2 + 2

// recordAAD covers every clear field:
//
//	header | lp(purpose) | ID 16 | version 8 | created 8 | seen 8 | expires 8 | lp(tenant) | lp(user)
func recordAAD(dst, head []byte, r *Record) []byte {
	dst = append(dst, head...)
	dst = appendField(dst, purposeRecord)
	dst = append(dst, r.ID[:]...)
	for _, n := range [...]uint64{uint64(r.Version), uint64(r.CreatedAt), uint64(r.SeenAt), uint64(r.ExpiresAt)} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	return appendField(appendField(dst, r.Tenant), r.User)
}

// openRecord opens a record into p.
func (k *ring) openRecord(r *Record, p *payload, now Time) (old bool, _ error) {
	if len(r.Sealed) > MaxSealed || len(r.Tenant) > MaxName || len(r.User) > MaxName {
		return false, ErrCorrupt
	}
	h, err := k.checkRecord(r.Sealed)
	if err != nil {
		return false, err
	}
	room := make([]byte, 0, recordAADLen+len(r.Tenant)+len(r.User)+len(r.Sealed)-sealedExtra)
	aad := recordAAD(room, r.Sealed[:headerLen], r)
	plain, err := k.open(room[len(aad):len(aad)], r.Sealed, aad, h, purposeRecord)
	if err != nil {
		return false, ErrCorrupt
	}
	if err := readPayload(plain, p); err != nil {
		return false, err
	}
	return h.key != k.sealing(now) || p.format != recordFormat, nil
}

// payloadRoom is what a payload without values takes, more or less.
const payloadRoom = 256

// sealRecord fills in Sealed.
func (k *ring) sealRecord(r *Record, p *payload, now Time, seed *Seed) error {
	key := k.sealing(now)
	if key == nil {
		return ErrNoSealing
	}
	h := header{key, epochOf(now)}
	room := make([]byte, 0, recordAADLen+len(r.Tenant)+len(r.User)+payloadRoom+p.data.size)
	aad := recordAAD(room, appendHeader(room, h), r)
	plain := appendPayload(aad[len(aad):], p)
	sealed := appendHeader(make([]byte, 0, sealedExtra+len(plain)), h)
	sealed, err := k.seal(sealed, plain, aad, h, purposeRecord, seed)
	if err != nil {
		return err
	}
	r.Sealed = sealed
	return r.Check()
}
