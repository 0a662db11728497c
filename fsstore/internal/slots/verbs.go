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
)

// Load implements hosts.Store. It waits for no other process, unless what it
// reads is damaged. A damaged file is core.ErrCorrupt; one of a newer format is
// hosts.ErrUnavailable.
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
	r, _, err := s.read(ctx, f, id, nil)
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
	if prev != core.NoVersion {
		if done, err := s.inPlace(ctx, &r, prev); done {
			return err
		}
	}
	return s.replace(ctx, &r, prev)
}

// inPlace saves where the session's file has room; else it reports false.
func (s *Store) inPlace(ctx context.Context, r *core.Record, prev core.Version) (done bool, err error) {
	h, err := s.hold(ctx, r.ID, os.O_RDWR)
	if err != nil {
		return true, err
	}
	if h == nil {
		return true, core.ErrConflict
	}
	defer h.release()
	if done, err := s.compare(h, r, prev); done {
		return true, err
	}
	// A file with a second name may be somebody's backup, which stays as it is.
	if imageSize(r) > h.pair.pages*pageSize || links(h.info) > 1 {
		return false, nil
	}
	return true, s.overwrite(ctx, h, r)
}

// compare decides a save that has not to be written: done, or in conflict.
func (s *Store) compare(h *held, r *core.Record, prev core.Version) (done bool, err error) {
	if err := h.read(); err != nil {
		return true, err
	}
	switch h.slot().record.Version {
	case r.Version:
		if s.fast {
			return true, nil
		}
		// The save before this one may have failed at just that.
		if err := h.settle(); err != nil {
			return true, unknown(h.path, err)
		}
		return true, nil
	case prev:
		return false, nil
	}
	return true, core.ErrConflict
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
	h, err := s.hold(ctx, id, os.O_RDONLY)
	// What cannot be opened has no writer either, and is deleted all the same.
	if err != nil && !errors.Is(err, core.ErrCorrupt) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	name := fileName(id)
	err = f.root.Remove(name)
	if h != nil {
		h.release()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return place.Fail("delete", filepath.Join(f.path, name), err)
	}
	// Also when it was missing: whoever removed it may have failed to sync.
	if err := f.dir.Sync(); err != nil {
		return place.Fail("sync", f.path, err)
	}
	return nil
}
