package seglog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	suffix        = ".log"
	damagedSuffix = ".damaged" // of a segment that is done with, left to the operator
)

func segmentName(number uint32) string { return fmt.Sprintf("%08x%s", number, suffix) }

// segmentNumber reads what segmentName wrote.
func segmentNumber(name string) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	n, err := strconv.ParseUint(digits, 16, 32)
	return uint32(n), ok && err == nil && n > 0 && segmentName(uint32(n)) == name
}

// segment is a file of records. Only the committer writes it.
type segment struct {
	header
	path    string
	file    *os.File
	info    fs.FileInfo
	size    int64 // of the file
	end     int64 // where the next record goes; of a sealed segment, where the records end
	durable int64 // synced up to here
	sealed  bool  // nothing is written here any more
	damaged bool  // bytes of it could not be read

	bytes, live int64 // of all records but the roll, and of those that the index points to; guarded by the index
}

// openSegment opens a file of the directory, which must be a regular one.
func openSegment(dir *place.Dir, name string) (*segment, error) {
	path := filepath.Join(dir.Path, name)
	info, err := dir.Root.Lstat(name)
	if err != nil {
		return nil, place.Fail("open", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, place.Unavailable(path, "is no regular file; remove it")
	}
	file, err := dir.Root.OpenFile(name, os.O_RDWR|place.OpenFlags, 0)
	if err != nil {
		return nil, place.Fail("open", path, err)
	}
	return &segment{path: path, file: file, info: info, size: info.Size()}, nil
}

// readHeader takes the first copy that is whole.
func (g *segment) readHeader() error {
	var errs error
	for _, at := range []int64{0, secondCopy} {
		b := make([]byte, headerSize)
		n, err := g.file.ReadAt(b, at)
		if n == 0 && err != nil && g.size > at {
			return place.Fail("read", g.path, err)
		}
		h, err := decodeHeader(b[:n])
		if err == nil {
			g.header = h
			return nil
		}
		errs = errors.Join(errs, err)
	}
	return fmt.Errorf("fsstore: file %s: %w", g.path, errs)
}

// rewriteHeader changes the header of a segment in use: always one copy is whole.
func (g *segment) rewriteHeader(base uint32, ends bool) error {
	h := g.header
	h.base, h.ends = base, ends
	for _, at := range []int64{0, secondCopy} {
		_, err := g.file.WriteAt(h.encode(), at)
		if err == nil {
			err = g.file.Sync()
		}
		if err != nil {
			return place.Fail("write", g.path, err)
		}
	}
	g.base, g.ends = base, ends // the others are read just now
	return nil
}

func (g *segment) writeHeader(h header) error {
	for _, at := range []int64{0, secondCopy} {
		if _, err := g.file.WriteAt(h.encode(), at); err != nil {
			return err
		}
	}
	g.header, g.end, g.durable = h, firstByte, firstByte
	return g.file.Sync()
}

// read returns the record of id that lies at s. A segment that was done with
// meanwhile is os.ErrClosed.
func (g *segment) read(id core.ID, s span) (core.Record, error) {
	b := make([]byte, s.length)
	if _, err := g.file.ReadAt(b, s.offset); err != nil {
		return core.Record{}, place.Fail("read", g.path, err)
	}
	h, ok := parseHead(b, g.salt, s.offset)
	if !ok || h.kind != kindPut || h.length != s.length || h.record.ID != id || !h.sealed(b) {
		return core.Record{}, fmt.Errorf("fsstore: file %s: session %s at byte %d: %w", g.path, id, s.offset,
			place.Damaged("checksum does not match"))
	}
	h.record.Sealed = b[h.start:h.length:h.length]
	return h.record, nil
}

// still refuses a segment whose file was removed or replaced: what is written
// there would be gone when it is closed.
func (g *segment) still() error {
	now, err := os.Lstat(g.path)
	if err != nil {
		return place.Fail("find", g.path, err)
	}
	if !os.SameFile(now, g.info) {
		return place.Unavailable(g.path, "was replaced by another file; restart the program")
	}
	return nil
}

// write appends records whole, or seals the segment: what the disk holds after a
// failure cannot be known, and a sync that failed once is not told again. The
// next segment will say where this one ends.
func (g *segment) write(b []byte, sync bool) error {
	from := g.end
	_, err := g.file.WriteAt(b, from)
	if err == nil && sync {
		err = place.SyncData(g.file)
	}
	if err == nil {
		g.end += int64(len(b))
		if sync {
			g.durable = g.end
		}
		return nil
	}
	g.sealed = true
	if erased := g.erase(from, from+int64(len(b))); erased != nil {
		return fmt.Errorf("fsstore: write %s: %w: %w: %w; look at the disk and its logs", g.path, hosts.ErrUnavailable, hosts.ErrUnknown, err)
	}
	return place.Fail("write", g.path, err)
}

// vouch syncs what Fast has left, so that the next record can say that it was.
func (g *segment) vouch() {
	if !g.sealed && g.durable < g.end && place.SyncData(g.file) == nil {
		g.durable = g.end
	}
}

// erase makes what is written between two offsets nothing, for good.
func (g *segment) erase(from, to int64) error {
	zeros := make([]byte, min(to-from, zeroStep))
	for at := from; at < to; at += int64(len(zeros)) {
		if _, err := g.file.WriteAt(zeros[:min(int64(len(zeros)), to-at)], at); err != nil {
			return err
		}
	}
	return place.SyncData(g.file)
}
