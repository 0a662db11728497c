package slots

import (
	"cmp"
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
	path   string
	info   fs.FileInfo
	leave  func()

	medium medium // the file, when it is written in place
	pair   *pair  // after read
	at     int    // the slot that holds the session
}

// hold locks the file of a session; nil when there is none. The lock of a file
// that has lost its name guards nothing: then it follows the name.
func (s *Store) hold(ctx context.Context, id core.ID, flag int) (*held, error) {
	leave, err := s.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	// Whether the folder is still the one of before is asked under the lock.
	f := s.folders[id[0]].Load()
	for {
		if f == nil {
			f, err = s.folder(id[0], false)
		}
		if err != nil || f == nil {
			leave()
			return nil, err
		}
		h, err := s.holdIn(ctx, f, id, flag)
		if errors.Is(err, errMoved) {
			f = nil
			continue
		}
		if err != nil || h == nil {
			leave()
			return nil, err
		}
		h.leave = leave
		return h, nil
	}
}

// errMoved: the file, or its folder, is no longer what its path leads to.
var errMoved = errors.New("moved meanwhile")

func (s *Store) holdIn(ctx context.Context, f *folder, id core.ID, flag int) (*held, error) {
	file, err := f.root.OpenFile(fileName(id), flag|place.OpenFlags, 0)
	if err != nil {
		file, _, err = f.open(id, flag) // which knows why
	}
	if errors.Is(err, fs.ErrNotExist) {
		if now, err := s.folder(id[0], false); now != f || err != nil {
			return nil, cmp.Or(err, errMoved)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h := &held{id: id, folder: f, file: file, path: file.Name(), medium: onDisk{file, s, f}}
	err = s.flock(ctx, file, h.path)
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("fsstore: %w", ctx.Err())
	}
	if err == nil {
		err = s.confirm(h)
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// confirm returns errMoved if the path of h does not lead to it any more.
func (s *Store) confirm(h *held) error {
	now, err := s.folder(h.id[0], false)
	if err != nil {
		return err
	}
	if now != h.folder {
		return errMoved
	}
	is, err := h.folder.root.Lstat(fileName(h.id))
	if errors.Is(err, fs.ErrNotExist) {
		return errMoved
	}
	if err == nil {
		h.info, err = h.file.Stat()
	}
	switch {
	case err != nil:
		return place.Fail("stat", h.path, err)
	case !is.Mode().IsRegular():
		return irregular(h.path)
	case !os.SameFile(is, h.info):
		return errMoved
	}
	return nil
}

// read reads both slots and chooses. Where none is good, it is by damage: nobody
// writes.
func (h *held) read() error {
	h.pair = newPair()
	if err := h.pair.read(h.file, h.info.Size(), h.id, true); err != nil {
		return place.Fail("read", h.path, err)
	}
	var err error
	if h.at, err = h.pair.newest(); err != nil {
		return fmt.Errorf("fsstore: file %s: %w", h.path, err)
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
