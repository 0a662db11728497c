package coalesce

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// kind is what a lane knows of its calls.
type kind[Q, A any] interface {
	one(ctx context.Context, q Q) A
	many(ctx context.Context, qs []Q) []A
	errorOf(a A) error
	failure(err error) A
	key(q Q) core.ID      // calls of one key are never in one batch; zero: they may
	lost() error          // what a call is whose answer the backend did not give
	left(err error) error // what a call is whose caller went while it was under way
}

type loadBatch struct{ b Backend }

func (k loadBatch) one(ctx context.Context, id core.ID) hosts.Loaded {
	r, err := k.b.Load(ctx, id)
	return hosts.Loaded{Record: r, Err: err}
}
func (k loadBatch) many(ctx context.Context, ids []core.ID) []hosts.Loaded {
	return k.b.LoadMany(ctx, ids)
}
func (k loadBatch) errorOf(a hosts.Loaded) error   { return a.Err }
func (k loadBatch) failure(err error) hosts.Loaded { return hosts.Loaded{Err: err} }
func (k loadBatch) key(core.ID) core.ID            { return core.ID{} }
func (k loadBatch) lost() error                    { return hosts.ErrUnavailable }
func (k loadBatch) left(err error) error           { return fmt.Errorf("coalescer: %w", err) }

type saveBatch struct{ b Backend }

func (k saveBatch) one(ctx context.Context, s hosts.Saving) error {
	if s.Touch && !hosts.IsTouch(ctx) {
		ctx = hosts.TouchContext(ctx)
	}
	return k.b.Save(ctx, s.Record, s.Prev)
}
func (k saveBatch) many(ctx context.Context, s []hosts.Saving) []error { return k.b.SaveMany(ctx, s) }
func (k saveBatch) errorOf(err error) error                            { return err }
func (k saveBatch) failure(err error) error                            { return err }
func (k saveBatch) key(s hosts.Saving) core.ID                         { return s.Record.ID }
func (k saveBatch) lost() error                                        { return hosts.ErrUnknown }
func (k saveBatch) left(err error) error {
	return fmt.Errorf("coalescer: %w: %w", hosts.ErrUnknown, err)
}

type deleteBatch struct {
	b Backend
	d hosts.BatchDeleter
}

func (k deleteBatch) one(ctx context.Context, id core.ID) error { return k.b.Delete(ctx, id) }
func (k deleteBatch) many(ctx context.Context, ids []core.ID) []error {
	return k.d.DeleteMany(ctx, ids)
}
func (k deleteBatch) errorOf(err error) error { return err }
func (k deleteBatch) failure(err error) error { return err }
func (k deleteBatch) key(core.ID) core.ID     { return core.ID{} }
func (k deleteBatch) lost() error             { return hosts.ErrUnknown }
func (k deleteBatch) left(err error) error {
	return fmt.Errorf("coalescer: %w: %w", hosts.ErrUnknown, err)
}
