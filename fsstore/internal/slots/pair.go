package slots

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// pair is the two slots of a file. While one is written the other holds the state
// before; the good one with the higher sequence is the session's.
type pair struct {
	slots [2]slot
	pages int // of each slot
	small [2 * pageSize]byte
}

type slot struct {
	header
	image   []byte // header and Sealed
	settled uint64 // sequence of the other slot, if that is on the disk; good or not
	err     error  // why this slot is not good: core.ErrCorrupt or a format
}

// pairs keeps buffers: a read needs 8 KiB, what it returns mostly much less.
var pairs = sync.Pool{New: func() any { return new(pair) }}

func newPair() *pair { return pairs.Get().(*pair) }

func (p *pair) free() {
	p.slots = [2]slot{}
	pairs.Put(p)
}

// read fills p from a file of about size bytes: whole, or the headers alone.
func (p *pair) read(file io.ReaderAt, size int64, id core.ID, whole bool) error {
	b, err := readAt(file, p.small[:], 0)
	if err != nil {
		return err
	}
	first, unread := decodeHeader(b)
	p.pages = first.pages
	if unread != nil { // the second slot is half way, unless the file was cut
		p.pages = int(min(max(size/2/pageSize, 1), maxPages))
	}
	second := b[min(pageSize, len(b)):]
	switch at := p.pages * pageSize; {
	case p.pages == 1:
		b = b[:min(pageSize, len(b))]
	case whole:
		if b, err = readAt(file, make([]byte, 2*at), 0); err != nil {
			return err
		}
		b, second = b[:min(at, len(b))], b[min(at, len(b)):]
	default:
		if second, err = readAt(file, make([]byte, maxHeader), int64(at)); err != nil {
			return err
		}
	}
	p.slots[0].parse(b, id, p.pages, whole)
	p.slots[1].parse(second, id, p.pages, whole)
	return nil
}

// readAt returns fewer bytes than asked for at the end of the file.
func readAt(file io.ReaderAt, b []byte, at int64) ([]byte, error) {
	n, err := file.ReadAt(b, at)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return b[:n], nil
}

func (s *slot) parse(b []byte, id core.ID, pages int, whole bool) {
	*s = slot{}
	if len(b) >= headerSize {
		s.settled = binary.BigEndian.Uint64(b[settledAt:])
	}
	if s.header, s.err = decodeHeader(b); s.err != nil {
		return
	}
	switch {
	case s.record.ID != id:
		s.err = place.Damaged("is the file of session %s", s.record.ID)
	case s.pages != pages:
		s.err = place.Damaged("has slots of %d pages instead of %d", s.pages, pages)
	case !whole:
	case len(b) < s.end:
		s.err = place.Damaged("cut short at %d bytes", len(b))
	case xxhash.Sum64(b[s.start:s.end]) != s.sum:
		s.err = place.Damaged("checksum of the sealed bytes does not match")
	default:
		s.image = b[:s.end]
	}
}

// newest returns the index of the slot that holds the session, or why none does.
func (p *pair) newest() (int, error) {
	a, b := &p.slots[0], &p.slots[1]
	switch {
	case a.err == nil && b.err == nil && b.sequence > a.sequence:
		return 1, nil
	case a.err == nil:
		return 0, nil
	case b.err == nil:
		return 1, nil
	case !errors.Is(a.err, core.ErrCorrupt):
		return 0, a.err // a file of another format, whatever it has there
	}
	return 0, fmt.Errorf("%w; its second half: %w", a.err, b.err)
}

// choose returns a copy of what slot i holds if it is wanted; nil wants all.
func (p *pair) choose(i int, want func(*core.Record) bool) (core.Record, bool) {
	s := &p.slots[i]
	r := s.record
	if want != nil && !want(&r) {
		return core.Record{}, false
	}
	r.Sealed = append(make([]byte, 0, s.end-s.start), s.image[s.start:s.end]...)
	return r, true
}

// settled reports whether the state in slot i, and its name, are on the disk.
func (p *pair) settled(i int) bool { return p.slots[1-i].settled == p.slots[i].sequence }
