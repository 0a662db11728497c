package filled

import (
	"context"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
)

const (
	chunk     = 10_000          // records between two looks at the clock
	sampled   = 5               // after so many chunks of ours one by the raw driver
	fillLimit = 4 * time.Minute // for one store; then it is measured with what it has
	tellEvery = 10 * time.Second
)

// fill brings sessions into a store until it has size of them, or the time is
// over. Where there is a bulk insert to compare with, that is sampled meanwhile
// with records of its own. It tells how long a record took either way.
func fill(ctx context.Context, name string, s *stock, size int, e *engine, bulk func(context.Context, []core.Record) error) (mine, theirs float64, err error) {
	var times, others []float64 // of a record
	start, told, extra := time.Now(), time.Now(), s.size
	for s.stored < size && time.Since(start) < fillLimit {
		records := s.records(s.stored, min(chunk, size-s.stored))
		begun := time.Now()
		if err := e.bulk(ctx, records); err != nil {
			return 0, 0, fmt.Errorf("fill %s: %w", name, err)
		}
		times = append(times, time.Since(begun).Seconds()/float64(len(records)))
		s.stored += len(records)
		if bulk != nil && len(times)%sampled == 1 {
			records = s.records(extra, len(records))
			extra += len(records)
			begun = time.Now()
			if err := bulk(ctx, records); err != nil {
				return 0, 0, fmt.Errorf("bulk insert beside %s: %w", name, err)
			}
			others = append(others, time.Since(begun).Seconds()/float64(len(records)))
		}
		if time.Since(told) > tellEvery {
			told = time.Now()
			fmt.Printf("%s: %s of %s sessions, %s a second\n", name, grouped(float64(s.stored)), grouped(float64(size)), grouped(1/times[len(times)-1]))
		}
	}
	for n := range s.stored {
		s.versions[n] = first(n)
	}
	if e.settle != nil {
		err = e.settle(ctx)
	}
	fmt.Printf("%s: %s sessions stored in %v, %s a second\n", name, grouped(float64(s.stored)), time.Since(start).Round(time.Second/10), grouped(1/mean(times)))
	return mean(times), mean(others), err
}

// records are those of so many numbers from one on.
func (s *stock) records(from, n int) []core.Record {
	all := make([]core.Record, n)
	for i := range all {
		all[i] = s.record(from + i)
	}
	return all
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}
