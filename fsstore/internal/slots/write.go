package slots

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// medium is where a save in place writes.
type medium interface {
	io.WriterAt
	datasync() error  // what was written is on the disk
	syncNames() error // and the names that lead to it
}

// onDisk is the medium of a file.
type onDisk struct {
	*os.File
	store  *Store
	folder *folder
}

func (d onDisk) datasync() error  { return place.SyncData(d.File) }
func (d onDisk) syncNames() error { return d.store.syncNames(d.folder) }

// overwrite puts r into the slot that does not hold the session.
func (s *Store) overwrite(ctx context.Context, h *held, r *core.Record) error {
	if !s.fast {
		// From here on the disk may lose what is in the other slot.
		if err := h.settle(); err != nil {
			return place.Fail("sync", h.path, err)
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
	if _, err := h.medium.WriteAt(image, h.offset(other)); err != nil {
		return place.Fail("write", h.path, err)
	}
	if s.fast {
		return nil
	}
	if err := h.medium.datasync(); err != nil {
		return unknown(h.path, err)
	}
	note(h.medium, h.offset(h.at), is.sequence+1)
	return nil
}

func (h *held) offset(slot int) int64 { return int64(slot) * int64(h.pair.pages) * pageSize }

// note says in the slot at offset that the other one, of that sequence, is on the
// disk. It is written there next anyway. Where the note fails the next save syncs
// once more.
func note(file io.WriterAt, offset int64, sequence uint64) {
	_, _ = file.WriteAt(binary.BigEndian.AppendUint64(nil, sequence), offset+settledAt)
}

// unknown is for what is written, but perhaps not on the disk.
func unknown(path string, err error) error {
	return fmt.Errorf("fsstore: sync %s: %w: %w; look at the disk and its logs", path, hosts.ErrUnknown, err)
}

// settle makes sure that the session's state is on the disk, and its name: its
// writer may have been killed before, have failed to sync, or be a fast one. It
// writes the same bytes again, because a sync that has failed is not repeated by
// the next one.
func (h *held) settle() error {
	if h.pair.settled(h.at) {
		return nil
	}
	is := h.slot()
	_, err := h.medium.WriteAt(is.image, h.offset(h.at))
	if err == nil {
		err = h.medium.datasync()
	}
	if err == nil {
		err = h.medium.syncNames()
	}
	if err != nil {
		return err
	}
	note(h.medium, h.offset(1-h.at), is.sequence)
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
	file, err := f.createNew()
	if err != nil {
		return place.Fail("write", path, err)
	}
	defer file.Close()
	s.Give(file)
	half := pagesFor(r) * pageSize
	if err := s.fill(file, encode(r, sequence, 0, half/pageSize), half); err != nil {
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
	note(file, int64(half), sequence)
	return nil
}

// fill writes both slots alike, and to their ends: each must have its blocks, so
// that a later write changes nothing but their contents.
func (s *Store) fill(file *os.File, image []byte, half int) error {
	b := make([]byte, 2*half)
	copy(b, image)
	copy(b[half:], image)
	_, err := file.Write(b)
	if err == nil && !s.fast {
		err = file.Sync()
	}
	return err
}

// createNew opens the new file. One that is there was left by a process that was
// killed: a living writer would have the lock.
func (f *folder) createNew() (*os.File, error) {
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
