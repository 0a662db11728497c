package coalesce_test

import (
	"context"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// commandTime is what a command takes in these tests.
const commandTime = 2 * time.Millisecond

func takesTime(context.Context, command) { <-time.After(commandTime) }

// Callers who think a little between two calls come back after the next batch
// would have gone. The worker awaits many of them, so that batches are whole.
func TestBatchesFill(t *testing.T) {
	for _, c := range []struct {
		callers     int
		least, most int // calls of a batch in the middle of the run
	}{{8, 1, 8}, {64, 56, 64}, {500, 256, 256}} {
		atDesk(t, coalesce.Options{}, func(d *desk) {
			d.backend.enter = takesTime
			done := make(chan error, c.callers)
			for i := range c.callers {
				go func() {
					<-time.After(time.Duration(i) * 50 * time.Microsecond)
					prev := core.NoVersion
					var err error
					for v := 0; v < 50 && err == nil; v++ {
						r := record(i, v)
						err = d.Save(d.Context(), r, prev)
						prev = r.Version
						<-time.After(100 * time.Microsecond)
					}
					done <- err
				}()
			}
			for range c.callers {
				require.NoError(d, <-done)
			}
			sizes := d.backend.sizes()
			middle := sizes[len(sizes)/2]
			require.GreaterOrEqual(d, middle, c.least, "of %d callers", c.callers)
			require.LessOrEqual(d, middle, c.most, "of %d callers", c.callers)
		})
	}
}

// Sixteen save once and are gone. Who comes while they are answered is not kept
// waiting for them time and again.
func TestNobodyIsAwaitedInVainForLong(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
		d.backend.enter = takesTime
		const rounds = 100
		kept := 0
		for round := range rounds {
			n := 100 * round
			d.insert(n, 1)
			d.insert(n+1, 16)
			<-time.After(commandTime + commandTime/2)
			came := time.Now()
			require.NoError(d, d.Save(d.Context(), record(n+50, 0), core.NoVersion))
			if time.Since(came) > commandTime/2+commandTime {
				kept++
			}
		}
		require.Positive(d, kept, "they are awaited at first")
		require.Less(d, kept, rounds/10)
	})
}

// A batch that is awaited, and the lane closes.
func TestCloseWakesWhoAwaits(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
		d.backend.enter = takesTime
		d.insert(0, 1)
		d.insert(1, 16)
		<-time.After(2*commandTime + 100*time.Microsecond)
		late := d.save(d.Context(), record(50, 0), core.NoVersion)
		began := time.Now()
		require.NoError(d, d.Close())
		require.Zero(d, time.Since(began))
		require.ErrorIs(d, d.answered(late), hosts.ErrClosed)
	})
}

// Of two workers one awaits; the other leaves it the callers. Those who come
// when it has waited long enough are served, too.
func TestOneWorkerAwaits(t *testing.T) {
	for range 20 {
		atDesk(t, coalesce.Options{Direct: -1, Workers: 2, BatchCalls: 16}, func(d *desk) {
			d.backend.enter = takesTime
			d.insert(0, 2+2*16)
			<-time.After(commandTime + commandTime/2)
			answers := d.insert(100, 3)
			<-time.After(commandTime/2 + time.Millisecond) // no longer do they wait
			answers = append(answers, d.insert(200, 16)...)
			for _, answer := range answers {
				require.NoError(d, <-answer)
			}
			sizes := d.backend.sizes()
			require.Equal(d, []int{1, 1, 16, 16}, sizes[:4])
			require.LessOrEqual(d, len(sizes), 4+3)
		})
	}
}
