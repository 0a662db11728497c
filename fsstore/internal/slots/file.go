package slots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// readTries without the lock: a read meets a write, and then perhaps the next.
const readTries = 4

// open opens a session's file and says how large it was. A missing one is
// fs.ErrNotExist, what is no regular file core.ErrCorrupt.
func (f *folder) open(id core.ID, flag int) (*os.File, int64, error) {
	name := fileName(id)
	path := filepath.Join(f.path, name)
	info, err := f.root.Lstat(name)
	if err != nil {
		return nil, 0, cannotOpen(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, irregular(path)
	}
	file, err := f.root.OpenFile(name, flag|place.OpenFlags, 0)
	if err != nil {
		return nil, 0, cannotOpen(path, err)
	}
	return file, info.Size(), nil
}

func irregular(path string) error {
	return fmt.Errorf("fsstore: file %s: %w", path, place.Damaged("is no regular file"))
}

func cannotOpen(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	return place.Fail("open", path, err)
}

// errUndecided: a read without the lock saw what may be a write under way.
var errUndecided = errors.New("not decided without the lock")

// read returns a record; false when want, which sees it without Sealed, does not
// want it. It takes the lock only where it cannot tell a write under way from
// damage. A missing file is fs.ErrNotExist.
func (s *Store) read(ctx context.Context, f *folder, id core.ID, want func(*core.Record) bool) (core.Record, bool, error) {
	r, wanted, err := s.glance(ctx, f, id, want)
	if !errors.Is(err, errUndecided) {
		return r, wanted, err
	}
	h, err := s.hold(ctx, id, os.O_RDONLY)
	if err != nil {
		return core.Record{}, false, err
	}
	if h == nil {
		return core.Record{}, false, fs.ErrNotExist
	}
	defer h.release()
	if err := h.read(); err != nil {
		return core.Record{}, false, err
	}
	r, wanted = h.pair.choose(h.at, want)
	return r, wanted, nil
}

// glance reads without a lock. It waits until few enough files are open.
func (s *Store) glance(ctx context.Context, f *folder, id core.ID, want func(*core.Record) bool) (core.Record, bool, error) {
	if err := s.wait(ctx, s.reads); err != nil {
		return core.Record{}, false, err
	}
	defer func() { <-s.reads }()
	if err := ctx.Err(); err != nil {
		return core.Record{}, false, fmt.Errorf("fsstore: %w", err)
	}
	file, size, err := f.open(id, os.O_RDONLY)
	if err != nil {
		return core.Record{}, false, err
	}
	defer file.Close()
	p := newPair()
	defer p.free()
	r, wanted, err := p.look(file, size, id, want)
	if err != nil && !errors.Is(err, errUndecided) {
		err = place.Fail("read", file.Name(), err)
	}
	return r, wanted, err
}

// look decides by reads alone. When both slots are good, the newer one is at
// least as new as the last save that was acknowledged before. When one is not,
// the other may have been read too early: the bad one may be a save after the
// next. A good one that is read after that was seen is new enough: the bad one
// held nothing newer then, or a newer save was complete in the other before it
// was overwritten.
func (p *pair) look(file io.ReaderAt, size int64, id core.ID, want func(*core.Record) bool) (core.Record, bool, error) {
	if want != nil {
		if err := p.read(file, size, id, false); err != nil {
			return core.Record{}, false, err
		}
		a, b := &p.slots[0], &p.slots[1]
		if a.err == nil && b.err == nil && !want(&a.header.record) && !want(&b.header.record) {
			return core.Record{}, false, nil
		}
	}
	bad := -1 // the slot that was, and alone was, when it was read before
	for range readTries {
		if err := p.read(file, size, id, true); err != nil {
			return core.Record{}, false, err
		}
		at, err := p.newest()
		if err == nil && (p.slots[1-at].err == nil || bad == 1-at) {
			r, wanted := p.choose(at, want)
			return r, wanted, nil
		}
		if bad = -1; err == nil {
			bad = 1 - at
		}
	}
	return core.Record{}, false, errUndecided
}
