package slots

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// overwrite puts r into the slot that does not hold the session.
func (s *Store) overwrite(ctx context.Context, h *held, r *core.Record) error {
	if !s.fast {
		// From here on the disk may lose what is in the other slot.
		if err := s.settle(h); err != nil {
			return place.Fail("sync", h.file.Name(), err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("fsstore: %w", err)
	}
	is, settled := h.slot(), uint64(0)
	if h.pair.settled(h.at) {
		settled = is.sequence
	}
	image := encode(r, is.sequence+1, settled, is.pages)
	other := 1 - h.at
	if _, err := h.file.WriteAt(image, h.offset(other)); err != nil {
		return place.Fail("write", h.file.Name(), err)
	}
	if s.fast {
		return nil
	}
	if err := datasync(h.file); err != nil {
		return unknown(h.file.Name(), err)
	}
	h.mark(other, is.sequence+1)
	return nil
}

func (h *held) offset(slot int) int64 { return int64(slot) * int64(h.pair.pages) * pageSize }

// mark notes that the state in a slot is on the disk. The note lies in the other
// slot, which is written next anyway. Without it the next save syncs once more.
func (h *held) mark(slot int, sequence uint64) {
	_, _ = h.file.WriteAt(binary.BigEndian.AppendUint64(nil, sequence), h.offset(1-slot)+settledAt)
}

// unknown is for what is written, but perhaps not on the disk.
func unknown(path string, err error) error {
	return fmt.Errorf("fsstore: sync %s: %w: %w; look at the disk and its logs", path, hosts.ErrUnknown, err)
}

// settle makes sure that the session's state is on the disk, and its name: its
// writer may have been killed before, have failed to sync, or be a fast one. It
// writes the same bytes again, because a sync that has failed is not repeated by
// the next one.
func (s *Store) settle(h *held) error {
	if h.pair.settled(h.at) {
		return nil
	}
	is := h.slot()
	_, err := h.file.WriteAt(is.image, h.offset(h.at))
	if err == nil {
		err = datasync(h.file)
	}
	if err == nil {
		err = s.syncNames(h.folder)
	}
	if err != nil {
		return err
	}
	h.mark(h.at, is.sequence)
	h.pair.slots[1-h.at].settled = is.sequence
	return nil
}

// syncNames makes the names in f, and that of f, survive a power failure.
func (s *Store) syncNames(f *folder) error {
	if err := f.dir.Sync(); err != nil || f.named.Load() {
		return err
	}
	err := s.Self.Sync()
	if err == nil {
		f.named.Store(true)
	}
	return err
}

// replace gives the session a new file: its first one, or one with more room.
func (s *Store) replace(ctx context.Context, r *core.Record, prev core.Version) error {
	f, unlock, err := s.lock(ctx, r.ID[0], prev == core.NoVersion)
	if err != nil {
		return err
	}
	if f == nil {
		return core.ErrConflict
	}
	defer unlock()
	h, err := s.hold(ctx, r.ID, os.O_RDWR)
	if err != nil {
		return err
	}
	sequence := uint64(1)
	if h == nil {
		if prev != core.NoVersion {
			return core.ErrConflict
		}
	} else {
		defer h.release()
		if done, err := s.compare(h, r, prev); done {
			return err
		}
		if h.folder != f {
			return place.Unavailable(f.path, "was replaced in the middle of a save; look who moves it")
		}
		sequence = h.slot().sequence + 1
	}
	return s.create(ctx, f, r, sequence)
}

// create writes a new file and renames it to its place.
func (s *Store) create(ctx context.Context, f *folder, r *core.Record, sequence uint64) error {
	path := filepath.Join(f.path, newName)
	file, err := f.create()
	if err != nil {
		return place.Fail("write", path, err)
	}
	h := &held{id: r.ID, folder: f, file: file}
	defer h.close()
	if err := s.fill(h, r, sequence); err != nil {
		return place.Fail("write", path, errors.Join(err, f.root.Remove(newName)))
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(fmt.Errorf("fsstore: %w", err), f.root.Remove(newName))
	}
	name := fileName(r.ID)
	if err := f.root.Rename(newName, name); err != nil {
		return place.Fail("write", filepath.Join(f.path, name), errors.Join(err, f.root.Remove(newName)))
	}
	if s.fast {
		return nil
	}
	if err := s.syncNames(f); err != nil {
		return unknown(f.path, err)
	}
	h.mark(0, sequence)
	return nil
}

// fill writes both slots alike: each must have its blocks, so that a later write
// changes nothing but their contents. It locks the file until create is done.
func (s *Store) fill(h *held, r *core.Record, sequence uint64) error {
	locked, err := place.TryLock(h.file)
	if err != nil {
		return err
	}
	if !locked {
		return place.Unavailable(h.file.Name(), "is locked by a program that is none of ours")
	}
	h.pair = newPair()
	h.pair.pages = pagesFor(r)
	slot := h.pair.pages * pageSize
	b := make([]byte, 2*slot)
	copy(b[slot:], b[:copy(b, encode(r, sequence, 0, h.pair.pages))])
	if _, err = h.file.Write(b); err == nil && !s.fast {
		err = h.file.Sync()
	}
	return err
}

// create opens the new file. One that is there was left by a process that was
// killed: a living writer would have the lock.
func (f *folder) create() (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | place.OpenFlags
	file, err := f.root.OpenFile(newName, flags, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		return file, err
	}
	if err := f.root.Remove(newName); err != nil {
		return nil, err
	}
	return f.root.OpenFile(newName, flags, 0o600)
}
