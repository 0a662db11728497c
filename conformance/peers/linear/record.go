package linear

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Recorder is a store as one client uses it: what it calls is logged. It is
// for one goroutine.
type Recorder struct {
	store  hosts.Store
	log    *Log
	client string
	exact  bool
}

// Record returns the store as a client uses it, whose name no other client in
// any process has. Exact means that a Save that returns the end of its context,
// without hosts.ErrUnknown, has changed nothing, as behind a Coalescer that
// sends no save directly.
func (l *Log) Record(store hosts.Store, client string, exact bool) *Recorder {
	return &Recorder{store, l, client, exact}
}

// stateOf sums a record up.
func stateOf(r core.Record) State {
	h := fnv.New64a()
	for _, part := range [][]byte{r.ID[:], []byte(r.Tenant), []byte(r.User), r.Sealed} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part))) // a hash takes everything
		_, _ = h.Write(part)
	}
	_ = binary.Write(h, binary.BigEndian, []core.Time{r.CreatedAt, r.SeenAt, r.ExpiresAt})
	return State{r.Version, h.Sum64()}
}

// answerOf tells what an error of a call means.
func (c *Recorder) answerOf(verb Verb, err error) Answer {
	switch {
	case err == nil:
		return Done
	case errors.Is(err, core.ErrConflict):
		return Conflict
	case errors.Is(err, core.ErrNotFound):
		return Missing
	case errors.Is(err, hosts.ErrUnknown):
		return Unknown
	}
	for _, refusal := range []error{hosts.ErrBusy, hosts.ErrFull, hosts.ErrClosed, hosts.ErrBatch} {
		if errors.Is(err, refusal) {
			return Refused
		}
	}
	if c.exact && verb == Save && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return Refused
	}
	return Unknown
}

// Load loads.
func (c *Recorder) Load(ctx context.Context, id core.ID) (core.Record, error) {
	op := Op{Client: c.client, Verb: Load, ID: id}
	n := c.log.begin(&op)
	r, err := c.store.Load(ctx, id)
	c.loaded(&op, r, err)
	c.log.end(n, &op)
	return r, err
}

func (c *Recorder) loaded(op *Op, r core.Record, err error) {
	if op.Answer = c.answerOf(Load, err); err == nil {
		op.State = stateOf(r)
	}
}

// Save saves.
func (c *Recorder) Save(ctx context.Context, r core.Record, prev core.Version) error {
	op := Op{Client: c.client, Verb: Save, ID: r.ID, State: stateOf(r), Prev: prev}
	n := c.log.begin(&op)
	err := c.store.Save(ctx, r, prev)
	op.Answer = c.answerOf(op.Verb, err)
	c.log.end(n, &op)
	return err
}

// Delete deletes.
func (c *Recorder) Delete(ctx context.Context, id core.ID) error {
	op := Op{Client: c.client, Verb: Delete, ID: id}
	n := c.log.begin(&op)
	err := c.store.Delete(ctx, id)
	op.Answer = c.answerOf(op.Verb, err)
	c.log.end(n, &op)
	return err
}

// Batches reports whether the store has LoadMany and SaveMany.
func (c *Recorder) Batches() bool {
	_, ok := c.store.(hosts.Batcher)
	return ok
}

// LoadMany loads many at once, if the store batches.
func (c *Recorder) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	ops := make([]*Op, len(ids))
	for i, id := range ids {
		ops[i] = &Op{Client: c.client, Verb: Load, ID: id}
	}
	n := c.log.begin(ops...)
	all := c.store.(hosts.Batcher).LoadMany(ctx, ids)
	for i, a := range all {
		c.loaded(ops[i], a.Record, a.Err)
	}
	c.log.end(n, ops...)
	return all
}

// SaveMany saves many at once, if the store batches.
func (c *Recorder) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	ops := make([]*Op, len(saves))
	for i, s := range saves {
		ops[i] = &Op{Client: c.client, Verb: Save, ID: s.Record.ID, State: stateOf(s.Record), Prev: s.Prev}
	}
	n := c.log.begin(ops...)
	all := c.store.(hosts.Batcher).SaveMany(ctx, saves)
	for i, err := range all {
		ops[i].Answer = c.answerOf(Save, err)
	}
	c.log.end(n, ops...)
	return all
}
