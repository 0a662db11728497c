package seglog

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/rockstar-web/sessions/core"
)

// The record format, to the byte, is in the package documentation.
const (
	alignment  = 8 // of records in a segment
	headSize   = 72
	maxHead    = headSize + 2*core.MaxName
	maxRecord  = maxHead + core.MaxSealed
	unitOffset = alignment
)

// kind says what a record does.
type kind byte

const (
	kindPut   kind = 1 // the state of a session from here on
	kindEnd   kind = 2 // the session of this ID has ended
	kindSweep kind = 3 // and those that expire before ExpiresAt
	kindMark  kind = 4 // segments before the one that Version names are void
	kindRoll  kind = 5 // which session each record before is about
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// span is where a record lies: its offset, and its length without padding.
type span struct{ offset, length int64 }

// padded is the length in the segment.
func padded(length int64) int64 { return (length + alignment - 1) &^ (alignment - 1) }

func recordLength(r *core.Record) int64 {
	return headSize + int64(len(r.Tenant)+len(r.User)+len(r.Sealed))
}

// head is a record as read, without Sealed.
type head struct {
	kind    kind
	record  core.Record
	start   int64 // of Sealed, from the start of the record
	length  int64 // of the record, without padding
	ended   bool  // in place: the session has ended in this state
	sum     uint32
	durable int64 // the segment was synced up to here when this was written
}

// sealed reports whether b, the record's bytes, has the Sealed that was written.
func (h *head) sealed(b []byte) bool {
	return crc32.Checksum(b[h.start:h.length], castagnoli) == h.sum
}

// appendRecord appends a record, padded, that will lie at offset.
func appendRecord(b []byte, k kind, r *core.Record, salt uint64, offset, durable int64) []byte {
	return appendSummed(b, k, r, crc32.Checksum(r.Sealed, castagnoli), salt, offset, durable)
}

// appendSummed is appendRecord with a checksum of Sealed that was made before: a
// damaged Sealed stays damaged wherever it is moved.
func appendSummed(b []byte, k kind, r *core.Record, sum uint32, salt uint64, offset, durable int64) []byte {
	from := len(b)
	var h [headSize]byte
	binary.BigEndian.PutUint32(h[4:], sum)
	h[8], h[9], h[10] = byte(k), byte(len(r.Tenant)), byte(len(r.User))
	binary.BigEndian.PutUint32(h[12:], uint32(len(r.Sealed)))
	copy(h[16:], r.ID[:])
	binary.BigEndian.PutUint64(h[32:], uint64(r.Version))
	binary.BigEndian.PutUint64(h[40:], uint64(r.CreatedAt))
	binary.BigEndian.PutUint64(h[48:], uint64(r.SeenAt))
	binary.BigEndian.PutUint64(h[56:], uint64(r.ExpiresAt))
	binary.BigEndian.PutUint32(h[64:], uint32(durable/unitOffset))
	b = append(b, h[:]...)
	b = append(b, r.Tenant...)
	b = append(b, r.User...)
	binary.BigEndian.PutUint32(b[from:], headSum(b[from:], salt, offset))
	b = append(b, r.Sealed...)
	for (len(b)-from)%alignment != 0 {
		b = append(b, 0)
	}
	return b
}

// headSum covers every byte of a head except the sum itself, and binds them to
// their place: bytes of another segment, or of a session's data that look like a
// record, are none.
func headSum(b []byte, salt uint64, offset int64) uint32 {
	var where [16]byte
	binary.BigEndian.PutUint64(where[:], salt)
	binary.BigEndian.PutUint64(where[8:], uint64(offset))
	return crc32.Update(crc32.Checksum(where[:], castagnoli), castagnoli, b[4:])
}

// parseHead reads the start of a record that lies at offset: at least maxHead
// bytes of it, or all that there are. It reports false for anything else than
// what appendRecord has written there.
func parseHead(b []byte, salt uint64, offset int64) (h head, ok bool) {
	if len(b) < headSize || b[8] < byte(kindPut) || b[8] > byte(kindRoll) || b[11] != 0 {
		return head{}, false
	}
	tenant, user, sealed := int64(b[9]), int64(b[10]), int64(binary.BigEndian.Uint32(b[12:]))
	start := headSize + tenant + user
	if sealed > core.MaxSealed || int64(len(b)) < start {
		return head{}, false
	}
	is, sum := binary.BigEndian.Uint32(b), headSum(b[:start], salt, offset)
	if is != sum && (is != ^sum || kind(b[8]) != kindPut) {
		return head{}, false
	}
	h = head{
		kind: kind(b[8]), start: start, length: start + sealed, ended: is != sum, sum: binary.BigEndian.Uint32(b[4:]),
		durable: int64(binary.BigEndian.Uint32(b[64:])) * unitOffset,
		record: core.Record{
			ID:        core.ID(b[16:]),
			Version:   core.Version(binary.BigEndian.Uint64(b[32:])),
			Tenant:    string(b[headSize : headSize+tenant]),
			User:      string(b[headSize+tenant : start]),
			CreatedAt: core.Time(binary.BigEndian.Uint64(b[40:])),
			SeenAt:    core.Time(binary.BigEndian.Uint64(b[48:])),
			ExpiresAt: core.Time(binary.BigEndian.Uint64(b[56:])),
		},
	}
	// The checksum is no signature: what follows holds for any bytes.
	switch h.kind {
	case kindPut:
		ok = h.record.Check() == nil
	case kindEnd:
		ok = !h.record.ID.IsZero() && h.length == headSize
	case kindRoll:
		ok = start == headSize && sealed%rollEntrySize == 0
	default:
		ok = h.length == headSize
	}
	return h, ok && h.durable <= offset && binary.BigEndian.Uint32(b[68:]) == 0
}
