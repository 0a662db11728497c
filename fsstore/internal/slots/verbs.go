package slots

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// Load implements hosts.Store. It takes no lock. A damaged file is
// core.ErrCorrupt; one of a newer format is hosts.ErrUnavailable.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := s.calls.Begin(ctx); err != nil {
		return core.Record{}, err
	}
	defer s.calls.End()
	f, err := s.folder(id[0], false)
	if err != nil {
		return core.Record{}, err
	}
	if f == nil {
		return core.Record{}, core.ErrNotFound
	}
	r, _, err := s.read(ctx, f, fileName(id), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return core.Record{}, core.ErrNotFound
	}
	return r, err
}

// Save implements hosts.Store. A success is on the disk, unless Options.Fast.
// After hosts.ErrUnknown the record has its place but may not survive a power
// failure; the same save again settles it.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("fsstore: save: %w", err)
	}
	if err := s.calls.Begin(ctx); err != nil {
		return err
	}
	defer s.calls.End()
	f, unlock, err := s.lock(ctx, r.ID[0], prev == core.NoVersion)
	if err != nil {
		return err
	}
	if f == nil {
		return core.ErrConflict
	}
	defer unlock()
	name := fileName(r.ID)
	stored, err := f.version(name)
	if err != nil {
		return err
	}
	if stored == r.Version {
		return s.settle(f) // the save before this one may have failed at just that
	}
	if stored != prev {
		return core.ErrConflict
	}
	if err := f.write(encode(&r), !s.fast); err != nil {
		return place.Fail("write", filepath.Join(f.path, newName), err)
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(fmt.Errorf("fsstore: %w", err), f.root.Remove(newName))
	}
	if err := f.root.Rename(newName, name); err != nil {
		return place.Fail("write", filepath.Join(f.path, name), errors.Join(err, f.root.Remove(newName)))
	}
	return s.settle(f)
}

// version reads the stored version of a session, core.NoVersion if there is
// none. The header has its own checksum, so that the rest need not be read.
func (f *folder) version(name string) (core.Version, error) {
	r, _, err := f.read(name, headOnly)
	if errors.Is(err, fs.ErrNotExist) {
		return core.NoVersion, nil
	}
	return r.Version, err
}

// write makes the new file, or leaves none.
func (f *folder) write(b []byte, sync bool) error {
	file, err := f.create()
	if errors.Is(err, fs.ErrExist) {
		// Left by a process that was killed: a living writer would have the lock.
		if err := f.root.Remove(newName); err != nil {
			return err
		}
		file, err = f.create()
	}
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err == nil && sync {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, f.root.Remove(newName))
	}
	return nil
}

func (f *folder) create() (*os.File, error) {
	return f.root.OpenFile(newName, os.O_WRONLY|os.O_CREATE|os.O_EXCL|place.OpenFlags, 0o600)
}

// settle makes the names in f, and that of f, survive a power failure.
func (s *Store) settle(f *folder) error {
	if s.fast {
		return nil
	}
	err := f.dir.Sync()
	if err == nil && !f.named {
		err = s.Self.Sync()
		f.named = err == nil
	}
	if err != nil {
		return fmt.Errorf("fsstore: sync %s: %w: %w; look at the disk and its logs", f.path, hosts.ErrUnknown, err)
	}
	return nil
}

// Delete implements hosts.Store. A success is on the disk, also with
// Options.Fast: an ended session does not come back after a power failure.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	if err := s.calls.Begin(ctx); err != nil {
		return err
	}
	defer s.calls.End()
	f, unlock, err := s.lock(ctx, id[0], false)
	if err != nil || f == nil {
		return err
	}
	defer unlock()
	name := fileName(id)
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return place.Fail("delete", filepath.Join(f.path, name), err)
	}
	// Also when it was missing: whoever removed it may have failed to sync.
	if err := f.dir.Sync(); err != nil {
		return place.Fail("sync", f.path, err)
	}
	return nil
}
