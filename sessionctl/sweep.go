package sessionctl

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	sweepBatch       = 1000            // sessions deleted in one call of the store
	sweepTime        = 5 * time.Minute // of such a call, on a busy disk
	defaultRetention = time.Hour       // as core.Policy has it
)

var sweepCommand = Command{
	Name: "sweep", Brief: "delete expired sessions",
	About: `Deletes the sessions that expired longer ago than the retention, and prints how many.
It never deletes a live one. Servers do this by themselves, unless NoCleanup is set.
Redis does it by itself, too: then there is nothing to do, and the command says so.`,
	Examples: []string{`sessionctl sweep --retention 1h`},
	Flags:    sweepFlags,
}

type sweeping struct {
	target
	retention time.Duration
}

func sweepFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	s := &sweeping{}
	s.target.add(set)
	set.DurationVar(&s.retention, "retention", defaultRetention, "keep sessions that expired less than `DURATION` ago, so that visitors are shown why they must sign in")
	return s.run
}

func (s *sweeping) run(ctx context.Context, p *Program, _ []string) error {
	if s.retention < 0 {
		return Usagef("sweep: --retention is %v; allowed: 0s or more", s.retention)
	}
	before := core.Time(p.Now().Add(-s.retention).UnixMilli())
	return s.with(ctx, p, false, func(store hosts.Store) error {
		sweeper, ok := hosts.As[hosts.Sweeper](store)
		switch {
		case ok:
		case s.json:
			return p.object(map[string]any{"swept": 0, "by_itself": true})
		default:
			_, err := fmt.Fprintln(p.Out, "nothing to do: this store removes expired sessions by itself")
			return err
		}
		m := s.meter(p, "sweep")
		total, err := sweepAll(ctx, sweeper, before, m)
		m.done()
		if s.json {
			if err := p.object(map[string]any{"swept": total, "by_itself": false}); err != nil {
				return err
			}
		} else if _, err := fmt.Fprintf(p.Out, "swept %s\n", plural(total)); err != nil {
			return err
		}
		return stopped(ctx, "sweep", err)
	})
}

// sweepAll stops between two batches when ctx ends.
func sweepAll(ctx context.Context, sweeper hosts.Sweeper, before core.Time, m *meter) (total int, err error) {
	for ctx.Err() == nil {
		call, cancel := begin(ctx, sweepTime)
		n, err := sweeper.Sweep(call, before, sweepBatch)
		cancel()
		total += n
		m.add(n, 0)
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
	return total, ctx.Err()
}
