package slots

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// The file format, to the byte, is in the package documentation.
const (
	magic      = "rwsess"
	format     = 2 // the version that is written and read
	pageSize   = 4096
	settledAt  = 16
	headerSize = 96
	maxHeader  = headerSize + 2*core.MaxName
	maxPages   = (maxHeader+core.MaxSealed)*5/4/pageSize + 1
)

// errFormer is no core.ErrCorrupt: nothing is wrong with the bytes.
var errFormer = fmt.Errorf("only written before the first release; delete it, its visitor signs in again: %w", hosts.ErrUnavailable)

// header is what a slot says before Sealed.
type header struct {
	record     core.Record // without Sealed
	sequence   uint64
	pages      int    // of each slot
	start, end int    // of Sealed, in bytes from the start of the slot
	sum        uint64 // of Sealed
}

// imageSize is that of a record in a slot, in bytes.
func imageSize(r *core.Record) int {
	return headerSize + len(r.Tenant) + len(r.User) + len(r.Sealed)
}

// pagesFor leaves a record room to grow by a quarter.
func pagesFor(r *core.Record) int { return imageSize(r)*5/4/pageSize + 1 }

// encode writes what a slot begins with. The record has passed its Check; settled
// is the sequence of the other slot if that is known to be on the disk.
func encode(r *core.Record, sequence, settled uint64, pages int) []byte {
	b := make([]byte, headerSize, imageSize(r))
	copy(b, magic)
	binary.BigEndian.PutUint16(b[6:], format)
	binary.BigEndian.PutUint64(b[settledAt:], settled)
	binary.BigEndian.PutUint64(b[24:], xxhash.Sum64(r.Sealed))
	binary.BigEndian.PutUint64(b[32:], sequence)
	binary.BigEndian.PutUint32(b[40:], uint32(len(r.Sealed)))
	b[44], b[45] = byte(len(r.Tenant)), byte(len(r.User))
	binary.BigEndian.PutUint16(b[46:], uint16(pages))
	copy(b[48:], r.ID[:])
	binary.BigEndian.PutUint64(b[64:], uint64(r.Version))
	binary.BigEndian.PutUint64(b[72:], uint64(r.CreatedAt))
	binary.BigEndian.PutUint64(b[80:], uint64(r.SeenAt))
	binary.BigEndian.PutUint64(b[88:], uint64(r.ExpiresAt))
	b = append(b, r.Tenant...)
	b = append(b, r.User...)
	binary.BigEndian.PutUint64(b[8:], headerSum(b))
	return append(b, r.Sealed...)
}

// headerSum covers every byte of the header except the sum and settled.
func headerSum(b []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.Write(b[:8])
	d.Write(b[24:])
	return d.Sum64()
}

// decodeHeader reads the start of a slot, at least maxHeader bytes of it or all
// that there are.
func decodeHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, place.Damaged("cut short at %d bytes", len(b))
	}
	if string(b[:6]) != magic {
		return header{}, place.Damaged("not a session file")
	}
	switch v := binary.BigEndian.Uint16(b[6:]); {
	case v > format:
		return header{}, fmt.Errorf("has format %d, this program reads %d: %w", v, format, place.ErrNewer)
	case v == 0:
		return header{}, place.Damaged("format 0 was never written")
	case v < format:
		return header{}, fmt.Errorf("has format %d, %w", v, errFormer)
	}
	tenant, user := int(b[44]), int(b[45])
	start := headerSize + tenant + user
	if len(b) < start {
		return header{}, place.Damaged("cut short at %d bytes", len(b))
	}
	if binary.BigEndian.Uint64(b[8:]) != headerSum(b[:start]) {
		return header{}, place.Damaged("checksum of the header does not match")
	}
	h := header{
		record: core.Record{
			ID:        core.ID(b[48:64]),
			Version:   core.Version(binary.BigEndian.Uint64(b[64:])),
			Tenant:    string(b[headerSize : headerSize+tenant]),
			User:      string(b[headerSize+tenant : start]),
			CreatedAt: core.Time(binary.BigEndian.Uint64(b[72:])),
			SeenAt:    core.Time(binary.BigEndian.Uint64(b[80:])),
			ExpiresAt: core.Time(binary.BigEndian.Uint64(b[88:])),
		},
		sequence: binary.BigEndian.Uint64(b[32:]),
		pages:    int(binary.BigEndian.Uint16(b[46:])),
		start:    start,
		sum:      binary.BigEndian.Uint64(b[24:]),
	}
	// The checksum is no signature: what follows holds for any bytes.
	sealed := binary.BigEndian.Uint32(b[40:])
	if sealed > core.MaxSealed || h.pages < 1 || h.pages > maxPages || h.sequence-1 >= math.MaxInt64 || h.record.Check() != nil {
		return header{}, place.Damaged("a field is outside its bounds")
	}
	h.end = start + int(sealed)
	if h.end > h.pages*pageSize {
		return header{}, place.Damaged("%d bytes in a slot of %d pages", h.end, h.pages)
	}
	return h, nil
}
