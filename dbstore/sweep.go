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
		seen := 0
		err := s.again(ctx, func() (err error) {
			var deleted int
			seen, deleted, err = s.commands.SweepSome(ctx, before, s.step, min(s.step, limit-total))
			total += deleted
			return err
		})
		if err != nil {
			return total, s.fail(ctx, "sweep", err)
		}
		if seen < s.step {
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
