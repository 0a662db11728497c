package seglog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// The header of a segment is written twice, far enough apart that no sector and
// no page holds both.
const (
	magic       = "rwslog"
	formatPlain = 1 // the version of a segment,
	formatEnds  = 2 // and of one with records that were ended in place: the newest that is read
	headerSize  = 64
	secondCopy  = 4096
	firstByte   = secondCopy + headerSize // of the first record
)

// header is what a segment says of itself, and of the one before it.
type header struct {
	number uint32
	base   uint32 // segments before this one are void
	salt   uint64
	before int64 // where the segment before ends
	roll   int64 // and where its roll begins: there, if it has none
	ends   bool  // records may have been ended in place
}

func (h header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, magic)
	binary.BigEndian.PutUint16(b[6:], formatPlain)
	binary.BigEndian.PutUint32(b[12:], h.number)
	binary.BigEndian.PutUint32(b[16:], h.base)
	if h.ends {
		binary.BigEndian.PutUint16(b[6:], formatEnds)
		b[20] = 1
	}
	binary.BigEndian.PutUint64(b[24:], h.salt)
	binary.BigEndian.PutUint64(b[32:], uint64(h.before))
	binary.BigEndian.PutUint64(b[40:], uint64(h.roll))
	binary.BigEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
	return b
}

// decodeHeader reads one copy.
func decodeHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, place.Damaged("cut short at %d bytes", len(b))
	}
	if string(b[:6]) != magic {
		return header{}, place.Damaged("not a segment of sessions")
	}
	if v := binary.BigEndian.Uint16(b[6:]); v > formatEnds {
		return header{}, fmt.Errorf("has format %d, this program reads up to %d: %w", v, formatEnds, place.ErrNewer)
	} else if v == 0 {
		return header{}, place.Damaged("format 0 was never written")
	}
	h := header{
		number: binary.BigEndian.Uint32(b[12:]),
		base:   binary.BigEndian.Uint32(b[16:]),
		salt:   binary.BigEndian.Uint64(b[24:]),
		before: int64(binary.BigEndian.Uint64(b[32:])),
		roll:   int64(binary.BigEndian.Uint64(b[40:])),
		ends:   b[20] == 1,
	}
	if binary.BigEndian.Uint32(b[8:]) != crc32.Checksum(b[12:headerSize], castagnoli) {
		return header{}, place.Damaged("checksum of the header does not match")
	}
	if h.ends != (binary.BigEndian.Uint16(b[6:]) == formatEnds) || h.number == 0 || h.base > h.number || h.before < 0 || h.before%alignment != 0 || h.roll < 0 || h.roll > h.before {
		return header{}, place.Damaged("a field of the header is outside its bounds")
	}
	return h, nil
}
