package hosts

import (
	"context"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Batched is a backend that a Coalescer can stand before.
type Batched interface {
	Store
	Batcher
}

// Coalescing bounds a Coalescer. Its zero value takes the defaults in brackets.
type Coalescing struct {
	Direct       int           // calls under way at once that go alone, for each of loads and saves [2]; -1: none
	Workers      int           // batches under way at once, for each of loads and saves [1]
	BatchCalls   int           // calls of one batch [256]
	BatchBytes   int           // sealed bytes of one batch [1 MiB]; one larger record goes alone
	WaitingCalls int           // calls that wait, for each of loads and saves [16384]; one more gets ErrBusy
	WaitingBytes int           // sealed bytes that wait [64 MiB]; more get ErrBusy
	Timeout      time.Duration // of one batch, which has a context of its own [10 s]
}

// The defaults of Coalescing.
const (
	DefaultDirect       = 2
	DefaultWorkers      = 1
	DefaultBatchCalls   = 256
	DefaultBatchBytes   = 1 << 20
	DefaultWaitingCalls = 16 << 10
	DefaultWaitingBytes = 64 << 20
	DefaultBatchTimeout = 10 * time.Second
)

// Coalescer makes many calls at once into few commands of a backend: while few
// are under way each goes directly; otherwise all that wait go in one LoadMany,
// SaveMany or DeleteMany, first come, first served. Loads, saves and deletes have
// a lane each. Deletes go directly where the backend is no BatchDeleter.
//
// Every caller gets the answer to its own call. A caller whose context ends
// leaves at once; its save or delete may then still be applied, and the error says
// so by wrapping ErrUnknown as well, unless it had not begun: then it wraps the
// context's only, and nothing is changed. Two saves of one session are never in
// one batch; they take turns with the saves of others. A batch that fails as a
// whole (ErrBatch) is done in halves, so that one bad call fails alone. A save or
// delete that the backend does not answer, since it panicked or gave too few
// answers, is ErrUnknown; a load, ErrUnavailable.
//
// A Coalescer is safe for concurrent use. It has no goroutine while nobody waits.
type Coalescer struct {
	backend Batched
	loads   lane[core.ID, Loaded]
	saves   lane[Saving, error]
	deletes *lane[core.ID, error] // nil: they go directly
}

// NewCoalescer returns a Coalescer over b. It refuses negative bounds.
func NewCoalescer(b Batched, o Coalescing) (*Coalescer, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Coalescer{backend: b}
	c.loads.open(o, loadBatch{b})
	c.saves.open(o, saveBatch{b})
	if d, ok := As[BatchDeleter](b); ok {
		c.deletes = &lane[core.ID, error]{}
		c.deletes.open(o, deleteBatch{b, d})
	}
	return c, nil
}

func (o *Coalescing) fill() error {
	for _, f := range []struct {
		name      string
		value     *int
		otherwise int
		least     int
	}{
		{"Direct", &o.Direct, DefaultDirect, -1},
		{"Workers", &o.Workers, DefaultWorkers, 1},
		{"BatchCalls", &o.BatchCalls, DefaultBatchCalls, 1},
		{"BatchBytes", &o.BatchBytes, DefaultBatchBytes, 1},
		{"WaitingCalls", &o.WaitingCalls, DefaultWaitingCalls, 1},
		{"WaitingBytes", &o.WaitingBytes, DefaultWaitingBytes, core.MaxSealed},
	} {
		if *f.value == 0 {
			*f.value = f.otherwise
		}
		if *f.value < f.least {
			return &ConfigError{Field: "Coalescing." + f.name, Value: fmt.Sprint(*f.value), Allowed: fmt.Sprintf("%d or more", f.least)}
		}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultBatchTimeout
	}
	if o.Timeout < 0 {
		return &ConfigError{Field: "Coalescing.Timeout", Value: o.Timeout.String(), Allowed: "a positive duration"}
	}
	return nil
}

// Load implements Store.
func (c *Coalescer) Load(ctx context.Context, id core.ID) (core.Record, error) {
	a, err := c.loads.do(ctx, id, 0)
	if err != nil {
		return core.Record{}, err
	}
	return a.Record, a.Err
}

// Save implements Store.
func (c *Coalescer) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := r.Check(); err != nil {
		return err
	}
	err, failed := c.saves.do(ctx, Saving{Record: r, Prev: prev, Touch: IsTouch(ctx)}, len(r.Sealed))
	if failed != nil {
		return failed
	}
	return err
}

// Delete implements Store.
func (c *Coalescer) Delete(ctx context.Context, id core.ID) error {
	if c.deletes == nil {
		return c.backend.Delete(ctx, id)
	}
	err, failed := c.deletes.do(ctx, id, 0)
	if failed != nil {
		return failed
	}
	return err
}

// Unwrap implements Wrapped: whatever else the backend can, Find, Sweep or more,
// it is asked for by itself. An acknowledged save is there, so that Find sees it;
// one that still waits in line is none that a caller has been told of, and a Sweep
// that comes before it makes it a conflict.
func (c *Coalescer) Unwrap() Store { return c.backend }

// Close answers those that wait with ErrClosed and returns when no call is under
// way, deletes that go directly aside. It gives up after Timeout and a second, with an error, if
// the backend does not return. It may be called again. The backend is the
// caller's to close, afterwards.
func (c *Coalescer) Close() error {
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
			return fmt.Errorf("coalescer: %w: calls of the backend have not returned %v after Close", ErrUnavailable, patience)
		}
	}
	return nil
}

// closeGrace is what a call may take to return after its context has ended.
const closeGrace = time.Second

var (
	_ Store   = (*Coalescer)(nil)
	_ Wrapped = (*Coalescer)(nil)
)
