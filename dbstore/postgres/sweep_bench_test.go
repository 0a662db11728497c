package postgres

import (
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

const (
	million = 1_000_000
	readers = 8
	calm    = 8 * time.Second // of reading, before the sweep and after it
)

// BenchmarkRatioSweep deletes half of a million sessions while readers go on,
// and compares how long the slowest of their loads take.
func BenchmarkRatioSweep(b *testing.B) {
	table, db := newTable(b), admin(b)
	s := openStore(b, Options{Table: table})
	fill := fmt.Sprintf(`INSERT INTO %s SELECT decode(md5(i::text), 'hex'), '', 'user-' || i %% 1000, 0, 24 + i %% 2 * 100, 1, 0, (24 + i %% 2 * 100) * 3600000::bigint,
		decode(repeat(md5(i::text), 18), 'hex') FROM generate_series(1, %d) AS i`, table, million)
	for b.Loop() {
		_, err := db.Exec(fill)
		require.NoError(b, err)
		_, err = db.Exec("VACUUM ANALYZE " + table)
		require.NoError(b, err)
		_, err = db.Exec("CHECKPOINT")
		require.NoError(b, err)
		read := func(until func() bool) []time.Duration { return loadLive(b, s, until) }
		during := func(d time.Duration) []time.Duration {
			end := time.Now().Add(d)
			return read(func() bool { return time.Now().After(end) })
		}
		during(time.Second) // warms up
		quiet := during(calm)
		done := make(chan struct{})
		total, start := 0, time.Now()
		var took time.Duration
		go func() {
			defer close(done)
			for {
				n, err := s.Sweep(b.Context(), core.Day+1, 1000)
				if err != nil {
					b.Error(err)
				}
				if total += n; n < 1000 {
					took = time.Since(start)
					return
				}
			}
		}()
		swept := read(func() bool {
			select {
			case <-done:
				return true
			default:
				return false
			}
		})
		require.Equal(b, million/2, total)
		quiet = append(quiet, during(calm)...)
		fmt.Printf("\nsweep of %d of %d: %.0f/s; p99 of %d readers %v, in calm %v; loads %d, in calm %d\n",
			total, million, float64(total)/took.Seconds(), readers, p99(swept), p99(quiet), len(swept), len(quiet))
		ratio.Print("postgres-sweep-readers-p99-of-calm", p99(swept).Seconds()/p99(quiet).Seconds(), 1.5, false)
		_, err = db.Exec("TRUNCATE " + table)
		require.NoError(b, err)
	}
}

// loadLive loads live sessions and returns how long each took.
func loadLive(b *testing.B, s *dbstore.Store, until func() bool) []time.Duration {
	times := make([][]time.Duration, readers)
	var all sync.WaitGroup
	for r := range readers {
		all.Go(func() {
			for !until() {
				id := core.ID(md5.Sum(fmt.Append(nil, rand.IntN(million/2)*2+1)))
				start := time.Now()
				if _, err := s.Load(b.Context(), id); err != nil {
					b.Error(err)
					return
				}
				times[r] = append(times[r], time.Since(start))
			}
		})
	}
	all.Wait()
	return slices.Concat(times...)
}

func p99(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)*99/100]
}
