package slots

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
		f, ids, err := s.list(ctx, byte(b), false)
		if err != nil {
			return nil, err
		}
		behind, exact := slices.BinarySearchFunc(ids, after, compareIDs)
		if exact {
			behind++
		}
		for _, id := range ids[behind:] {
			r, wanted, err := s.read(ctx, f, id, q.Matches)
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

func compareIDs(a, b core.ID) int { return bytes.Compare(a[:], b[:]) }

// list returns the sessions of folder b in the order of their IDs. It lists under
// the lock, because some filesystems do not show a name to a listing during which
// another file takes that name. With tidy it removes what a killed process left.
func (s *Store) list(ctx context.Context, b byte, tidy bool) (*folder, []core.ID, error) {
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
	ids := make([]core.ID, 0, len(names))
	for _, name := range names {
		if id, ok := idOf(name, b); ok {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return f, ids, nil
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
	f, ids, err := w.list(ctx, b, true)
	if err != nil {
		return err
	}
	var expired []core.ID
	for i, id := range ids {
		_, ended, err := w.read(ctx, f, id, w.expired)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, core.ErrCorrupt) || errors.Is(err, place.ErrNewer) || errors.Is(err, errFormer):
			w.unread++
			w.first = cmp.Or(w.first, err)
		case err != nil:
			return err
		case ended:
			expired = append(expired, id)
		}
		last := i == len(ids)-1
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

func (w *sweep) expired(r *core.Record) bool { return r.ExpiresAt < w.before }

// remove tests again under the locks: a session that was used meanwhile stays.
func (w *sweep) remove(ctx context.Context, b byte, ids []core.ID) error {
	f, unlock, err := w.lock(ctx, b, false)
	if err != nil || f == nil {
		return err
	}
	defer unlock()
	for _, id := range ids {
		if err := w.removeOne(ctx, id); err != nil {
			return err
		}
	}
	if err := f.dir.Sync(); err != nil {
		return place.Fail("sync", f.path, err)
	}
	return nil
}

func (w *sweep) removeOne(ctx context.Context, id core.ID) error {
	h, err := w.hold(ctx, id, os.O_RDONLY)
	if h == nil && (err == nil || errors.Is(err, core.ErrCorrupt)) {
		return nil // not what was seen before
	}
	if err != nil {
		return err
	}
	defer h.release()
	if h.read() != nil || !w.expired(&h.slot().record) {
		return nil
	}
	if err := h.folder.root.Remove(fileName(id)); err != nil {
		return place.Fail("delete", h.path, err)
	}
	w.deleted++
	return nil
}
