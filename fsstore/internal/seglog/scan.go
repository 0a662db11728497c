package seglog

import (
	"bytes"
	"io"

	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

const scanWindow = 1 << 20 // bytes that are read at once

// scan reads a segment from front to back, in a window that is bounded.
type scan struct {
	*segment
	end    int64 // of what is read
	at     int64 // of the next record
	window []byte
	from   int64 // of the window, in the segment

	synced int64   // what settled has found,
	behind []int64 // and where the records are that it looked at
}

func newScan(g *segment, end int64) *scan { return &scan{segment: g, end: end, at: firstByte} }

// bytes returns n bytes from an offset, fewer at the end.
func (c *scan) bytes(at, n int64) ([]byte, error) {
	n = max(0, min(n, c.end-at))
	if at < c.from || at+n > c.from+int64(len(c.window)) {
		size := min(max(n, scanWindow), c.end-at)
		if int64(cap(c.window)) < size {
			c.window = make([]byte, size)
		}
		c.window, c.from = c.window[:size], at
		if read, err := c.file.ReadAt(c.window, at); err != nil && err != io.EOF {
			c.window = nil
			return nil, place.Fail("read", c.path, err)
		} else {
			c.window = c.window[:read]
		}
	}
	start := min(at-c.from, int64(len(c.window)))
	return c.window[start:min(start+n, int64(len(c.window)))], nil
}

// record reads what lies at an offset. ok: its head is what was written there;
// b is the record's bytes, nil if they are not.
func (c *scan) record(at int64) (h head, b []byte, ok bool, err error) {
	if b, err = c.bytes(at, maxHead); err != nil {
		return head{}, nil, false, err
	}
	if h, ok = parseHead(b, c.salt, at); !ok {
		return head{}, nil, false, nil
	}
	if at+padded(h.length) > c.end {
		return head{}, nil, false, nil
	}
	if b, err = c.bytes(at, h.length); err != nil {
		return head{}, nil, false, err
	}
	if int64(len(b)) < h.length || !h.sealed(b) {
		b = nil
	}
	return h, b, true, nil
}

// skip goes on to the next record whose head stands, or to the end.
func (c *scan) skip() error {
	end, err := c.lastByte()
	if err != nil {
		return err
	}
	for c.at += alignment; c.at < end; c.at += alignment {
		if _, _, ok, err := c.record(c.at); ok || err != nil {
			return err
		}
	}
	c.at = c.end
	return nil
}

// settled returns how far the segment was synced when the last of its records
// was written that can be read. What lies before that was whole once; what lies
// behind was perhaps never acknowledged.
func (c *scan) settled() (int64, error) {
	if c.synced > 0 {
		return c.synced, nil
	}
	end, err := c.lastByte()
	if err != nil {
		return 0, err
	}
	c.synced = firstByte
	for at := c.at + alignment; at < end; at += alignment {
		h, _, ok, err := c.record(at)
		if err != nil {
			return 0, err
		}
		if ok {
			c.synced = max(c.synced, h.durable)
			c.behind = append(c.behind, at)
		}
	}
	return c.synced, nil
}

// lastByte returns the end of the last block that is not all zeros, c.at if all are.
func (c *scan) lastByte() (int64, error) {
	var zeros [4096]byte
	end := c.at
	for at := c.at; at < c.end; at += int64(len(zeros)) {
		b, err := c.bytes(at, int64(len(zeros)))
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(b, zeros[:len(b)]) {
			end = at + int64(len(b))
		}
	}
	return end, nil
}
