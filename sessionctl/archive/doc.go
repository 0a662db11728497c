// Package archive is the file format of sessionctl export and import: all
// records of a store, still sealed, in one compressed stream that shows when it
// is cut short or damaged. No key is needed to write or to read one, and an
// archive shows no more of the sessions than their store does.
//
// A [Writer] and a [Reader] hold one record at a time. The format, to the byte,
// is in docs/sessionctl.md.
package archive

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/rockstar-web/sessions/core"
)

// Format is the version that is written, and the newest that is read.
const Format = 1

// What is wrong with an archive; test with errors.Is. The error around it says
// behind how many records.
var (
	// ErrForeign: the bytes were not written by an export.
	ErrForeign = errors.New("not an export of sessions")
	// ErrFormat: a newer program wrote it.
	ErrFormat = errors.New("an export in a newer format")
	// ErrTruncated: the end is missing. The records before it are whole.
	ErrTruncated = errors.New("export is cut short")
	// ErrDamaged: bytes have changed. The records before it are whole.
	ErrDamaged = errors.New("export is damaged")
)

// Sizes in bytes.
const (
	magic       = "rwsexp"
	headerSize  = 24
	entrySize   = 12 // before a record: its length and checksum; the same before the count is the trailer
	fixedSize   = 50 // of a record, without its names and sealed bytes
	maxBody     = fixedSize + 2*core.MaxName + core.MaxSealed
	trailerSize = 20
	maxWindow   = 8 << 20 // of the compression
)

// appendHeader writes what stands before the compressed part.
func appendHeader(b []byte, began core.Time) []byte {
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, Format)
	b = binary.BigEndian.AppendUint64(b, uint64(began))
	return binary.BigEndian.AppendUint64(b, xxhash.Sum64(b))
}

func readHeader(b []byte) (began core.Time, err error) {
	if string(b[:len(magic)]) != magic {
		return 0, ErrForeign
	}
	if v := binary.BigEndian.Uint16(b[6:]); v > Format {
		return 0, fmt.Errorf("format %d, this program reads up to %d: %w", v, Format, ErrFormat)
	} else if v != Format {
		return 0, fmt.Errorf("format %d was never written: %w", v, ErrDamaged)
	}
	if binary.BigEndian.Uint64(b[16:]) != xxhash.Sum64(b[:16]) {
		return 0, fmt.Errorf("header: %w", ErrDamaged)
	}
	return core.Time(binary.BigEndian.Uint64(b[8:])), nil
}

// appendEntry writes a record with its length and checksum. The body is what
// core.AppendRecord writes behind its format, for the archive has one of its own.
func appendEntry(b []byte, r *core.Record) ([]byte, error) {
	from := len(b)
	b, err := core.AppendRecord(append(b, make([]byte, entrySize-1)...), r)
	if err != nil {
		return b, err
	}
	body := b[from+entrySize:]
	binary.BigEndian.PutUint32(b[from:], uint32(len(body)))
	binary.BigEndian.PutUint64(b[from+4:], xxhash.Sum64(body))
	return b, nil
}

// bodyFormat is the first byte of what core.ReadRecord reads.
const bodyFormat = 1

// readBody reads a record whose checksum has been compared, behind a byte of
// room; it shares b. The checksum is no signature: any bytes may come.
func readBody(b []byte) (core.Record, error) {
	b[0] = bodyFormat
	r, err := core.ReadRecord(b)
	if err != nil {
		return core.Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return r, nil
}
