package coalesce

import (
	"context"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Backend is what a Store can stand before.
type Backend interface {
	hosts.Store
	hosts.Batcher
}

// Store makes many calls at once into few commands of a backend: while few
// are under way each goes directly; otherwise all that wait go in one LoadMany,
// SaveMany or DeleteMany, first come, first served. Loads, saves and deletes have
// a lane each. Deletes go directly where the backend is no hosts.BatchDeleter.
//
// Every caller gets the answer to its own call. A caller whose context ends
// leaves at once; its save or delete may then still be applied, and the error says
// so by wrapping hosts.ErrUnknown as well, unless it had not begun: then it wraps the
// context's only, and nothing is changed. Two saves of one session are never in
// one batch; they take turns with the saves of others. A batch that fails as a
// whole (hosts.ErrBatch) is done in halves, so that one bad call fails alone. A save or
// delete that the backend does not answer, since it panicked or gave too few
// answers, is hosts.ErrUnknown; a load, hosts.ErrUnavailable.
//
// A Store is safe for concurrent use. It has no goroutine while nobody waits.
type Store struct {
	backend Backend
	loads   lane[core.ID, hosts.Loaded]
	saves   lane[hosts.Saving, error]
	deletes *lane[core.ID, error] // nil: they go directly
}

// New returns a Store over b. It refuses negative bounds.
func New(b Backend, o Options) (*Store, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Store{backend: b}
	c.loads.open(o, loadBatch{b})
	c.saves.open(o, saveBatch{b})
	if d, ok := hosts.As[hosts.BatchDeleter](b); ok {
		c.deletes = &lane[core.ID, error]{}
		c.deletes.open(o, deleteBatch{b, d})
	}
	return c, nil
}

// Load implements hosts.Store.
func (c *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	a, err := c.loads.do(ctx, id, 0)
	if err != nil {
		return core.Record{}, err
	}
	return a.Record, a.Err
}

// Save implements hosts.Store.
func (c *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := r.Check(); err != nil {
		return err
	}
	err, failed := c.saves.do(ctx, hosts.Saving{Record: r, Prev: prev, Touch: hosts.IsTouch(ctx)}, len(r.Sealed))
	if failed != nil {
		return failed
	}
	return err
}

// Delete implements hosts.Store.
func (c *Store) Delete(ctx context.Context, id core.ID) error {
	if c.deletes == nil {
		return c.backend.Delete(ctx, id)
	}
	err, failed := c.deletes.do(ctx, id, 0)
	if failed != nil {
		return failed
	}
	return err
}

// Unwrap implements hosts.Wrapped: whatever else the backend can, Find, Sweep or more,
// it is asked for by itself. An acknowledged save is there, so that Find sees it;
// one that still waits in line has not been reported to any caller, and a Sweep
// that comes before it makes it a conflict.
func (c *Store) Unwrap() hosts.Store { return c.backend }

// Queues implements hosts.Queued. Deletes that go directly are not counted.
func (c *Store) Queues() hosts.Queues {
	q := hosts.Queues{Loads: c.loads.queue(), Saves: c.saves.queue()}
	if c.deletes != nil {
		q.Deletes = c.deletes.queue()
	}
	return q
}

// Close answers those that wait with hosts.ErrClosed and returns when no call is under
// way, deletes that go directly aside. It gives up after Timeout and a second, with an error, if
// the backend does not return. It may be called again. The backend is the
// caller's to close, afterwards.
func (c *Store) Close() error {
	c.loads.close()
	c.saves.close()
	lanes := []chan struct{}{c.loads.drained, c.saves.drained}
	if c.deletes != nil {
		c.deletes.close()
		lanes = append(lanes, c.deletes.drained)
	}
	patience := c.saves.bounds.Timeout + closeGrace
	t := time.NewTimer(patience)
	defer t.Stop()
	for _, drained := range lanes {
		select {
		case <-drained:
		case <-t.C:
			return fmt.Errorf("coalescer: %w: calls of the backend have not returned %v after Close", hosts.ErrUnavailable, patience)
		}
	}
	return nil
}

// closeGrace is what a call may take to return after its context has ended.
const closeGrace = time.Second

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Wrapped = (*Store)(nil)
	_ hosts.Queued  = (*Store)(nil)
)
