package slots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// read returns a record; false when want, which sees it without Sealed, does not
// want it. Files are never changed once they have their name, so no lock is
// needed. A missing file is fs.ErrNotExist.
func (f *folder) read(name string, want func(*core.Record) bool) (core.Record, bool, error) {
	path := filepath.Join(f.path, name)
	info, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return core.Record{}, false, err
	}
	if err != nil {
		return core.Record{}, false, place.Fail("stat", path, err)
	}
	if !info.Mode().IsRegular() {
		return core.Record{}, false, fmt.Errorf("fsstore: file %s: %w", path, place.Damaged("is no regular file"))
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|place.OpenFlags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return core.Record{}, false, err
	}
	if err != nil {
		return core.Record{}, false, place.Fail("open", path, err)
	}
	defer file.Close()
	r, wanted, err := readRecord(file, info.Size(), want)
	switch {
	case errors.Is(err, errRead):
		err = place.Fail("read", path, err)
	case err != nil:
		err = fmt.Errorf("fsstore: file %s: %w", path, err)
	case fileName(r.ID) != name:
		err = fmt.Errorf("fsstore: file %s: %w", path, place.Damaged("is the file of session %s", r.ID))
	}
	if err != nil {
		return core.Record{}, false, err
	}
	return r, wanted, nil
}

// headOnly wants no record: its clear fields are enough.
func headOnly(*core.Record) bool { return false }

// read is folder.read for calls without a lock, of which there may be many: it
// waits until few enough files are open.
func (s *Store) read(ctx context.Context, f *folder, name string, want func(*core.Record) bool) (core.Record, bool, error) {
	select {
	case s.reads <- struct{}{}:
		defer func() { <-s.reads }()
	case <-ctx.Done():
		return core.Record{}, false, fmt.Errorf("fsstore: waiting for other calls: %w", ctx.Err())
	case <-s.calls.Done:
		return core.Record{}, false, place.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return core.Record{}, false, fmt.Errorf("fsstore: %w", err)
	}
	return f.read(name, want)
}

var errRead = errors.New("read failed")

// readRecord reads a file of about size bytes; another may have taken its name
// since the size was asked.
func readRecord(file io.Reader, size int64, want func(*core.Record) bool) (core.Record, bool, error) {
	first := int64(maxHeader)
	if want == nil {
		first = max(first, min(size, maxFile)+1) // one more, to see a file that is too long
	}
	b, err := readMore(file, nil, int(first))
	if err != nil {
		return core.Record{}, false, err
	}
	h, err := decodeHeader(b)
	if err != nil {
		return core.Record{}, false, err
	}
	if want != nil && !want(&h.record) {
		return h.record, false, nil
	}
	if len(b) == int(first) {
		if b, err = readMore(file, b, h.end+1-len(b)); err != nil {
			return core.Record{}, false, err
		}
	}
	r, err := h.complete(b)
	return r, true, err
}

// readMore appends up to n bytes to b; fewer at the end of the file.
func readMore(file io.Reader, b []byte, n int) ([]byte, error) {
	if n <= 0 {
		return b, nil
	}
	old := len(b)
	b = append(slices.Clip(b), make([]byte, n)...)
	got, err := io.ReadFull(file, b[old:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%w: %w", errRead, err)
	}
	return b[:old+got], nil
}
