package slots

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// The file format, to the byte, is in the package documentation.
const (
	magic      = "rwsess"
	format     = 1 // the version that is written, and the newest that is read
	headerSize = 80
	maxHeader  = headerSize + 2*core.MaxName
	maxFile    = maxHeader + core.MaxSealed
)

// header is what a file says before Sealed.
type header struct {
	record     core.Record // without Sealed
	start, end int         // of Sealed, in bytes from the start of the file
	sum        uint64      // of Sealed
}

// encode writes the bytes of a file. The record has passed its Check.
func encode(r *core.Record) []byte {
	b := make([]byte, headerSize, headerSize+len(r.Tenant)+len(r.User)+len(r.Sealed))
	copy(b, magic)
	binary.BigEndian.PutUint16(b[6:], format)
	binary.BigEndian.PutUint64(b[16:], xxhash.Sum64(r.Sealed))
	binary.BigEndian.PutUint32(b[24:], uint32(len(r.Sealed)))
	b[28], b[29] = byte(len(r.Tenant)), byte(len(r.User))
	copy(b[32:], r.ID[:])
	binary.BigEndian.PutUint64(b[48:], uint64(r.Version))
	binary.BigEndian.PutUint64(b[56:], uint64(r.CreatedAt))
	binary.BigEndian.PutUint64(b[64:], uint64(r.SeenAt))
	binary.BigEndian.PutUint64(b[72:], uint64(r.ExpiresAt))
	b = append(b, r.Tenant...)
	b = append(b, r.User...)
	binary.BigEndian.PutUint64(b[8:], headerSum(b))
	return append(b, r.Sealed...)
}

// headerSum covers every byte of the header except the sum itself.
func headerSum(b []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.Write(b[:8])
	d.Write(b[16:])
	return d.Sum64()
}

// decodeHeader reads the start of a file, at least maxHeader bytes of it or all
// that there are.
func decodeHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, place.Damaged("cut short at %d bytes", len(b))
	}
	if string(b[:6]) != magic {
		return header{}, place.Damaged("not a session file")
	}
	if v := binary.BigEndian.Uint16(b[6:]); v > format {
		return header{}, fmt.Errorf("has format %d, this program reads up to %d: %w", v, format, place.ErrNewer)
	} else if v != format {
		return header{}, place.Damaged("format %d was never written", v)
	}
	tenant, user, sealed := int(b[28]), int(b[29]), binary.BigEndian.Uint32(b[24:])
	start := headerSize + tenant + user
	if len(b) < start {
		return header{}, place.Damaged("cut short at %d bytes", len(b))
	}
	if binary.BigEndian.Uint64(b[8:]) != headerSum(b[:start]) {
		return header{}, place.Damaged("checksum of the header does not match")
	}
	h := header{
		record: core.Record{
			ID:        core.ID(b[32:48]),
			Version:   core.Version(binary.BigEndian.Uint64(b[48:])),
			Tenant:    string(b[headerSize : headerSize+tenant]),
			User:      string(b[headerSize+tenant : start]),
			CreatedAt: core.Time(binary.BigEndian.Uint64(b[56:])),
			SeenAt:    core.Time(binary.BigEndian.Uint64(b[64:])),
			ExpiresAt: core.Time(binary.BigEndian.Uint64(b[72:])),
		},
		start: start,
		sum:   binary.BigEndian.Uint64(b[16:]),
	}
	// The checksum is no signature: what follows holds for any bytes.
	if sealed > core.MaxSealed || b[30] != 0 || b[31] != 0 || h.record.Check() != nil {
		return header{}, place.Damaged("a field is outside its bounds")
	}
	h.end = start + int(sealed)
	return h, nil
}

// decode reads a whole file. The record shares its bytes.
func decode(b []byte) (core.Record, error) {
	h, err := decodeHeader(b)
	if err != nil {
		return core.Record{}, err
	}
	return h.complete(b)
}

// complete adds Sealed from the whole file.
func (h header) complete(b []byte) (core.Record, error) {
	if len(b) != h.end {
		return core.Record{}, place.Damaged("has %d bytes instead of %d", len(b), h.end)
	}
	if xxhash.Sum64(b[h.start:]) != h.sum {
		return core.Record{}, place.Damaged("checksum of the sealed bytes does not match")
	}
	r := h.record
	r.Sealed = b[h.start:h.end:h.end]
	return r, nil
}
