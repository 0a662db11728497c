package conformance

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// mapStore is the plainest right store: one map, one mutex. The model test holds
// others to it.
type mapStore struct {
	mu      sync.Mutex
	records map[core.ID]core.Record
}

func newMapStore() *mapStore { return &mapStore{records: make(map[core.ID]core.Record)} }

func (m *mapStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := ctx.Err(); err != nil {
		return core.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[id]
	if !ok {
		return core.Record{}, core.ErrNotFound
	}
	return r, nil
}

func (m *mapStore) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return fmt.Errorf("map store: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// A missing record has version zero, which is core.NoVersion.
	if stored := m.records[r.ID].Version; stored == r.Version {
		return nil
	} else if stored != prev {
		return core.ErrConflict
	}
	m.records[r.ID] = r
	return nil
}

func (m *mapStore) DeleteMany(ctx context.Context, ids []core.ID) []error {
	answers := make([]error, len(ids))
	for i, id := range ids {
		answers[i] = m.Delete(ctx, id)
	}
	return answers
}

func (m *mapStore) Delete(ctx context.Context, id core.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, id)
	return nil
}

func (m *mapStore) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for id, r := range m.records {
		if n < limit && r.ExpiresAt < before {
			delete(m.records, id)
			n++
		}
	}
	return n, nil
}

func (m *mapStore) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []core.Record
	for id, r := range m.records {
		if q.Matches(&r) && bytes.Compare(id[:], after[:]) > 0 {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(x, y core.Record) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	return found[:min(limit, len(found))], nil
}

func (m *mapStore) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	all := make([]hosts.Loaded, len(ids))
	for i, id := range ids {
		all[i].Record, all[i].Err = m.Load(ctx, id)
	}
	return all
}

func (m *mapStore) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	errs := make([]error, len(saves))
	for i, s := range saves {
		errs[i] = m.Save(ctx, s.Record, s.Prev)
	}
	return errs
}
