package dbstore

import (
	"context"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Sweep implements hosts.Sweeper in small batches, with pauses where the
// database wants them, so that it holds up nobody for long.
func (s *Store) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	total := 0
	for total < limit {
		start := time.Now()
		var n, seen int
		err := s.again(ctx, func() error {
			n = min(limit-total, s.step)
			var deleted int
			var err error
			seen, deleted, err = s.commands.SweepSome(ctx, before, n)
			total += deleted
			return err
		})
		if err != nil {
			return total, s.fail(ctx, "sweep", err)
		}
		if seen < n {
			break
		}
		pause := min(time.Duration(float64(time.Since(start))*s.rest), MaxSweepRest)
		if err := s.pause(ctx, pause); err != nil {
			return total, s.fail(ctx, "sweep", err)
		}
	}
	return total, nil
}

func (s *Store) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-s.done:
		return hosts.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
