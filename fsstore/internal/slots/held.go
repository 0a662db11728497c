package slots

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// held is the file of a session under its lock: nobody else, in any process,
// writes in it, replaces it or deletes it.
type held struct {
	id     core.ID
	folder *folder
	file   *os.File
	info   fs.FileInfo
	leave  func()

	pair *pair // after read
	at   int   // the slot that holds the session
}

// hold locks the file of a session; nil when there is none. The lock of a file
// that has lost its name guards nothing: then it follows the name.
func (s *Store) hold(ctx context.Context, id core.ID, flag int) (*held, error) {
	leave, err := s.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	for {
		h, same, err := s.holdOnce(ctx, id, flag)
		switch {
		case err != nil || h == nil:
			leave()
			return nil, err
		case same:
			h.leave = leave
			return h, nil
		}
	}
}

// holdOnce reports false when the file lost its name while its lock was waited
// for.
func (s *Store) holdOnce(ctx context.Context, id core.ID, flag int) (h *held, same bool, err error) {
	f, err := s.folder(id[0], false)
	if err != nil || f == nil {
		return nil, false, err
	}
	file, _, err := f.open(id, flag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	h = &held{id: id, folder: f, file: file}
	if err = s.flock(ctx, file, file.Name()); err == nil {
		same, err = s.named(h)
	}
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("fsstore: %w", ctx.Err())
	}
	if err != nil || !same {
		h.close()
	}
	return h, same, err
}

// named reports whether the path of h still leads to it.
func (s *Store) named(h *held) (bool, error) {
	now, err := s.folder(h.id[0], false)
	if err != nil || now != h.folder {
		return false, err
	}
	is, err := h.folder.root.Lstat(fileName(h.id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		h.info, err = h.file.Stat()
	}
	if err != nil {
		return false, place.Fail("stat", h.file.Name(), err)
	}
	return os.SameFile(is, h.info), nil
}

// read reads both slots and chooses. Where none is good, it is by damage: nobody
// writes.
func (h *held) read() error {
	h.pair = newPair()
	if err := h.pair.read(h.file, h.info.Size(), h.id, true); err != nil {
		return place.Fail("read", h.file.Name(), err)
	}
	var err error
	if h.at, err = h.pair.newest(); err != nil {
		return fmt.Errorf("fsstore: file %s: %w", h.file.Name(), err)
	}
	return nil
}

func (h *held) slot() *slot { return &h.pair.slots[h.at] }

func (h *held) release() {
	h.close()
	h.leave()
}

// close gives the lock back before it closes: a child process that is being
// started may have the file open for a moment longer.
func (h *held) close() {
	if h.pair != nil {
		h.pair.free()
	}
	place.Unlock(h.file)
	_ = h.file.Close() // whatever had to reach the disk was synced
}
