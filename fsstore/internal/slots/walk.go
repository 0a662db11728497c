package slots

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// Find implements hosts.Finder. It passes over damaged files, which nobody can
// load either (Sweep reports them); a file of a newer format is an error, since
// its session may well live.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if err := s.calls.Begin(ctx); err != nil {
		return nil, err
	}
	defer s.calls.End()
	var found []core.Record
	for b := int(after[0]); b < fanout && len(found) < limit; b++ {
		f, names, err := s.list(ctx, byte(b), false)
		if err != nil {
			return nil, err
		}
		behind, exact := slices.BinarySearch(names, fileName(after))
		if exact {
			behind++
		}
		for _, name := range names[behind:] {
			r, wanted, err := s.read(ctx, f, name, q.Matches)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, core.ErrCorrupt) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if wanted {
				found = append(found, r)
			}
			if len(found) == limit {
				break
			}
		}
	}
	return found, nil
}

// list returns the sorted session files of folder b. It lists under the lock,
// because some filesystems do not show a name to a listing during which another
// file takes that name. With tidy it removes what a killed process left.
func (s *Store) list(ctx context.Context, b byte, tidy bool) (*folder, []string, error) {
	f, unlock, err := s.lock(ctx, b, false)
	if err != nil || f == nil {
		return nil, nil, err
	}
	defer unlock()
	dir, err := f.root.Open(".")
	if err != nil {
		return nil, nil, place.Fail("list", f.path, err)
	}
	names, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return nil, nil, place.Fail("list", f.path, err)
	}
	if tidy && slices.Contains(names, newName) {
		if err := f.root.Remove(newName); err != nil {
			return nil, nil, place.Fail("delete", filepath.Join(f.path, newName), err)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isFileName(name, b) })
	slices.Sort(names)
	return f, names, nil
}

// Sweep implements hosts.Sweeper. It goes on where the last sweep reached its
// limit, so that many small sweeps do not read the same live sessions again.
// Damaged files and files of a newer format stay; when all else is done they are
// reported, the first by name, together with the count of the deleted.
func (s *Store) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	if err := s.calls.Begin(ctx); err != nil {
		return 0, err
	}
	defer s.calls.End()
	w := sweep{Store: s, before: before, limit: limit}
	from := s.sweepFrom.Load()
	for i := uint32(0); i < fanout && w.deleted < limit; i++ {
		b := byte(from + i)
		if err := w.visit(ctx, b); err != nil {
			return w.deleted, err
		}
		s.sweepFrom.Store(uint32(b))
	}
	if w.unread > 0 {
		return w.deleted, fmt.Errorf("fsstore: %d files cannot be swept, the first is this: %w", w.unread, w.first)
	}
	return w.deleted, nil
}

// sweep is one call of Sweep.
type sweep struct {
	*Store
	before  core.Time
	limit   int
	deleted int
	unread  int
	first   error // of the unread
}

// visit looks for expired sessions without the lock, and deletes a few at a
// time under it.
func (w *sweep) visit(ctx context.Context, b byte) error {
	f, names, err := w.list(ctx, b, true)
	if err != nil {
		return err
	}
	var expired []string
	for i, name := range names {
		r, _, err := w.read(ctx, f, name, headOnly)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, core.ErrCorrupt) || errors.Is(err, place.ErrNewer):
			w.unread++
			w.first = cmp.Or(w.first, err)
		case err != nil:
			return err
		case r.ExpiresAt < w.before:
			expired = append(expired, name)
		}
		last := i == len(names)-1
		if len(expired) == min(sweepBatch, w.limit-w.deleted) || last && len(expired) > 0 {
			if err := w.remove(ctx, b, expired); err != nil {
				return err
			}
			expired = expired[:0]
		}
		if w.deleted == w.limit {
			return nil
		}
	}
	return nil
}

// remove tests again under the lock: a session that was used meanwhile stays.
func (w *sweep) remove(ctx context.Context, b byte, names []string) error {
	f, unlock, err := w.lock(ctx, b, false)
	if err != nil || f == nil {
		return err
	}
	defer unlock()
	for _, name := range names {
		r, _, err := f.read(name, headOnly)
		if err != nil || r.ExpiresAt >= w.before {
			continue // not there, or not what was seen before
		}
		if err := f.root.Remove(name); err != nil {
			return place.Fail("delete", filepath.Join(f.path, name), err)
		}
		w.deleted++
	}
	if err := f.dir.Sync(); err != nil {
		return place.Fail("sync", f.path, err)
	}
	return nil
}
