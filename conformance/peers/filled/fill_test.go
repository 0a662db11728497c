package filled

import (
	"context"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
)

const (
	chunk     = 10_000          // records between two looks at the clock
	fillLimit = 8 * time.Minute // for one backend; then it is measured with what it has
	tellEvery = 10 * time.Second
)

// fill brings the sessions of a stock into one place or several, a chunk to each in turn,
// until they are all there or the time is over. It returns the seconds that each took.
func fill(ctx context.Context, name string, s *stock, places ...*engine) ([]float64, error) {
	took := make([]float64, len(places))
	start, told, already := time.Now(), time.Now(), s.stored
	for s.stored < s.size && time.Since(start) < fillLimit {
		records := s.records(s.stored, min(chunk, s.size-s.stored))
		for i, e := range places {
			begun := time.Now()
			if err := e.bulk(ctx, records); err != nil {
				return nil, fmt.Errorf("fill %s: %w", name, err)
			}
			took[i] += time.Since(begun).Seconds()
		}
		s.stored += len(records)
		if time.Since(told) > tellEvery {
			told = time.Now()
			fmt.Printf("%s: %s of %s sessions, %s a second\n", name, grouped(float64(s.stored)), grouped(float64(s.size)), grouped(float64(s.stored-already)/took[0]))
		}
	}
	for n := range s.stored {
		s.versions[n] = first(n)
	}
	for _, e := range places {
		if e.settle != nil {
			if err := e.settle(ctx); err != nil {
				return nil, err
			}
		}
	}
	fmt.Printf("%s: %s sessions stored, %s a second\n", name, grouped(float64(s.stored)), grouped(float64(s.stored-already)/took[0]))
	return took, nil
}

// records are those of so many numbers from one on.
func (s *stock) records(from, n int) []core.Record {
	all := make([]core.Record, n)
	for i := range all {
		all[i] = s.record(from + i)
	}
	return all
}
