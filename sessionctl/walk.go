package sessionctl

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of the work over many sessions.
const (
	firstPage = 100     // records of the first call of Find
	maxPage   = 1000    // of each
	pageBytes = 4 << 20 // sealed bytes that a page is meant to have
	workers   = 32      // sessions written or deleted at once
	callTime  = 30 * time.Second
)

// walk lists the records that q selects, ordered by ID, a page at a time. The
// larger the sessions are, the fewer make a page.
func walk(ctx context.Context, store hosts.Store, q hosts.Query) iter.Seq2[core.Record, error] {
	return func(yield func(core.Record, error) bool) {
		finder, ok := hosts.As[hosts.Finder](store)
		if !ok {
			yield(core.Record{}, hosts.ErrNoFinder)
			return
		}
		var after core.ID
		for limit := firstPage; ; {
			page, err := finder.Find(ctx, q, after, limit)
			if err != nil {
				yield(core.Record{}, err)
				return
			}
			bytes := 0
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
				bytes += len(r.Sealed)
			}
			if len(page) < limit {
				return
			}
			after = page[len(page)-1].ID
			limit = min(max(pageBytes/(bytes/len(page)+1), 1), maxPage)
		}
	}
}

// begin is for a call of a store that an interrupt lets come to its end: what
// it did is then known.
func begin(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// each calls f for every item, so many at once. It stops at the first error
// or when ctx ends, and returns when all that was begun is done: what f did is
// known, also after an interrupt.
func each[T any](ctx context.Context, items iter.Seq2[T, error], atOnce int, f func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan T)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for r := range queue {
				call, cancel := begin(ctx, callTime)
				if err := f(call, r); err != nil {
					stop(err)
				}
				cancel()
			}
		})
	}
	for r, err := range items {
		if err != nil {
			stop(err)
			break
		}
		select {
		case <-ctx.Done():
		case queue <- r:
			continue
		}
		break
	}
	close(queue)
	all.Wait()
	return context.Cause(ctx)
}
