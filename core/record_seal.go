package core

import "encoding/binary"

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
func (r *ring) openRecord(rec *Record, p *payload, now Time) (old bool, _ error) {
	if len(rec.Sealed) > MaxSealed || len(rec.Tenant) > MaxName || len(rec.User) > MaxName {
		return false, ErrCorrupt
	}
	h, err := r.checkRecord(rec.Sealed)
	if err != nil {
		return false, err
	}
	room := make([]byte, 0, recordAADLen+len(rec.Tenant)+len(rec.User)+len(rec.Sealed)-sealedExtra)
	aad := recordAAD(room, rec.Sealed[:headerLen], rec)
	plain, err := r.open(room[len(aad):len(aad)], rec.Sealed, aad, h, purposeRecord)
	if err != nil {
		return false, ErrCorrupt
	}
	if err := readPayload(plain, p); err != nil {
		return false, err
	}
	return h.key != r.sealing(now) || p.format != recordFormat, nil
}

// payloadRoom is what a payload without values takes, more or less.
const payloadRoom = 256

// sealRecord fills in Sealed.
func (r *ring) sealRecord(rec *Record, p *payload, now Time, seed *Seed) error {
	key := r.sealing(now)
	if key == nil {
		return ErrNoSealing
	}
	h := header{key, epochOf(now)}
	room := make([]byte, 0, recordAADLen+len(rec.Tenant)+len(rec.User)+payloadRoom+p.data.size)
	aad := recordAAD(room, appendHeader(room, h), rec)
	plain := appendPayload(aad[len(aad):], p)
	sealed := appendHeader(make([]byte, 0, sealedExtra+len(plain)), h)
	sealed, err := r.seal(sealed, plain, aad, h, purposeRecord, seed)
	if err != nil {
		return err
	}
	rec.Sealed = sealed
	return rec.Check()
}
