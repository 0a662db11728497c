package redis

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
)

// The format, to the byte, is in the package documentation.
const (
	format    = 1 // that is written, and the newest that is read
	offOwner  = 8
	offExpiry = 24
	offFormat = 32
	offSum    = 35
	offRest   = 43
	fixedSize = 67
)

// latest is as late as any expiry is written: the year 144683, in milliseconds
// that Lua's numbers hold exactly.
const latest = 1 << 52

// expiry is when the server forgets a record, in Unix milliseconds; it is
// positive, as the server wants it.
func expiry(at, retention core.Time) int64 {
	if at > latest-retention {
		return latest
	}
	return max(int64(at+retention), 1)
}

// encode writes a value as text, which rueidis wants. The record has passed its
// Check.
func encode(r *core.Record, expiry int64) string {
	b := make([]byte, fixedSize, fixedSize+len(r.Tenant)+len(r.User)+len(r.Sealed))
	o := ownerOf(r.Tenant, r.User)
	binary.BigEndian.PutUint64(b, uint64(r.Version))
	copy(b[offOwner:], o[:])
	binary.BigEndian.PutUint64(b[offExpiry:], uint64(expiry))
	b[offFormat], b[offFormat+1], b[offFormat+2] = format, byte(len(r.Tenant)), byte(len(r.User))
	binary.BigEndian.PutUint64(b[offRest:], uint64(r.CreatedAt))
	binary.BigEndian.PutUint64(b[offRest+8:], uint64(r.SeenAt))
	binary.BigEndian.PutUint64(b[offRest+16:], uint64(r.ExpiresAt))
	b = append(b, r.Tenant...)
	b = append(b, r.User...)
	b = append(b, r.Sealed...)
	binary.BigEndian.PutUint64(b[offSum:], checksum(r.ID, b))
	return rueidis.BinaryString(b)
}

// checksum covers the ID, so that a value under another key is damage, and
// every byte of the value but the sum itself.
func checksum(id core.ID, b []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.Write(id[:])
	d.Write(b[:offSum])
	d.Write(b[offRest:])
	return d.Sum64()
}

// decode reads the value of a session. The record shares its bytes.
func decode(id core.ID, b []byte) (core.Record, error) {
	if len(b) <= offFormat {
		return core.Record{}, damaged("is cut short at %d bytes", len(b))
	}
	if v := b[offFormat]; v > format {
		return core.Record{}, fmt.Errorf("redis: session %v has format %d, this program reads up to %d: %w", id, v, format, errNewer)
	} else if v != format {
		return core.Record{}, damaged("has format %d, which was never written", v)
	}
	if len(b) < fixedSize {
		return core.Record{}, damaged("is cut short at %d bytes", len(b))
	}
	if binary.BigEndian.Uint64(b[offSum:]) != checksum(id, b) {
		return core.Record{}, damaged("does not match its checksum")
	}
	user := fixedSize + int(b[offFormat+1])
	sealed := user + int(b[offFormat+2])
	if len(b) < sealed {
		return core.Record{}, damaged("is cut short at %d bytes", len(b))
	}
	text := rueidis.BinaryString(b)
	r := core.Record{
		ID:        id,
		Version:   core.Version(binary.BigEndian.Uint64(b)),
		Tenant:    text[fixedSize:user],
		User:      text[user:sealed],
		CreatedAt: core.Time(binary.BigEndian.Uint64(b[offRest:])),
		SeenAt:    core.Time(binary.BigEndian.Uint64(b[offRest+8:])),
		ExpiresAt: core.Time(binary.BigEndian.Uint64(b[offRest+16:])),
		Sealed:    b[sealed:len(b):len(b)],
	}
	// The checksum is no signature: what follows holds for any bytes.
	if r.Check() != nil {
		return core.Record{}, damaged("has a field outside its bounds")
	}
	return r, nil
}

func damaged(reason string, args ...any) error {
	return fmt.Errorf("redis: a value %s: %w", fmt.Sprintf(reason, args...), core.ErrCorrupt)
}
