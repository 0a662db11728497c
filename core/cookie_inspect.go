package core

import "encoding/binary"

// Inspection is what the value of a cookie tells to whoever holds the key. It
// has no room for the secret.
type Inspection struct {
	Format int    // version of the sealed format; 0 if the value has no header
	KeyID  string // of the key that sealed it, 8 hexadecimal digits; of format 1
	Epoch  Time   // begin of the hour in which it was sealed; of format 1
	ID     ID     // zero unless the value is authentic, as are Chain and Step
	Chain  uint32 // of secrets, counted from 0: each login and privilege change begins one
	Step   uint32 // of periodic renewal in the chain, counted from 0
}

// headerText is how many characters of a value hold its header, which is
// readable without a key.
const headerText = headerLen / 3 * 4 // 9 bytes are 3 groups of 3: no rest

// inspect is Machine.Inspect under the keys of the ring.
func (r *ring) inspect(name, value, tenant string, now Time) (Inspection, error) {
	var in Inspection
	if len(value) >= headerText {
		var head [headerLen]byte
		if n, err := strictBase64.Decode(head[:], []byte(value[:headerText])); err == nil && n == headerLen {
			in.Format = int(head[0])
			if in.Format == sealedVersion {
				in.KeyID = keyID(head[1:5]).String()
				in.Epoch = Time(binary.BigEndian.Uint32(head[5:9])) * Hour
			}
		}
	}
	t, err := r.openCookie(new(opening), name, value, tenant, now)
	if err != nil {
		return in, err
	}
	in.ID, in.Chain, in.Step = t.ID, t.gen.chain, t.gen.step
	return in, nil
}
