package coalesce_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// A caller's context ends at every moment that its save can be at.
func TestCallersLeave(t *testing.T) {
	for _, c := range []struct {
		name    string
		direct  int
		before  []core.Record // saves that are there first; the first is held
		release int           // commands, before the context ends
		unknown bool          // the save may be applied, and is
	}{
		{"while the call is direct", 1, nil, 0, false},
		{"while it waits for a batch", -1, []core.Record{record(0, 0)}, 0, false},
		{"while it waits behind a save of its session that waits", -1, []core.Record{record(0, 0), record(1, 1)}, 0, false},
		{"while it waits behind a save of its session that is under way", -1, []core.Record{record(1, 1)}, 0, false},
		{"while it is under way alone", -1, nil, 0, true},
		{"while its batch is under way", -1, []core.Record{record(0, 0), record(2, 0)}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			atDesk(t, coalesce.Options{Direct: c.direct}, func(d *desk) {
				for _, r := range c.before {
					d.save(d.Context(), r, core.NoVersion)
				}
				ctx, cancel := context.WithCancel(d.Context())
				answer := d.save(ctx, record(1, 0), core.NoVersion)
				behind := d.save(d.Context(), record(1, 0), core.NoVersion) // the same, sent again
				d.release(c.release)
				d.waits(answer)
				cancel()
				err := d.answered(answer)
				require.ErrorIs(d, err, context.Canceled)
				require.Equal(d, c.unknown, errors.Is(err, hosts.ErrUnknown), err)
				require.False(d, d.stored(1))
				d.free()
				again := d.answered(behind)
				applied := 0
				for _, seen := range d.backend.seen() {
					for _, s := range seen.saves {
						if s.Record.Version == record(1, 0).Version {
							applied++
						}
					}
				}
				want := 1 // of who is left
				if c.unknown || c.direct > 0 {
					want++
				}
				require.Equal(d, want, applied, "a save that had not begun reaches no command")
				if len(c.before) > 0 && c.before[len(c.before)-1].ID == record(1, 1).ID {
					require.ErrorIs(d, again, core.ErrConflict)
				} else {
					require.NoError(d, again)
				}
			})
		})
	}
}

// A load changes nothing, so that nothing about it is unknown.
func TestLoadersLeave(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
		ctx, cancel := context.WithCancel(d.Context())
		answers := make(chan error, 2)
		for range 2 { // under way, and waiting
			go func() {
				_, err := d.Load(ctx, record(0, 0).ID)
				answers <- err
			}()
		}
		d.waits(answers)
		cancel()
		for range 2 {
			err := <-answers
			require.ErrorIs(d, err, context.Canceled)
			require.NotErrorIs(d, err, hosts.ErrUnknown)
		}
	})
}

func TestEndedContextChangesNothing(t *testing.T) {
	for _, direct := range []int{-1, 2} {
		b := newBatcher(t)
		c := coalescer(t, b, coalesce.Options{Direct: direct})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := c.Save(ctx, record(0, 0), core.NoVersion)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, hosts.ErrUnknown)
		_, err = c.Load(ctx, record(0, 0).ID)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, b.seen())
	}
}

// The answer and the end of the context come together: what the caller hears is
// true, whichever it hears.
func TestAnswerAndEndTogether(t *testing.T) {
	var unknown, known int
	for n := range 300 {
		b := newBatcher(t)
		c := coalescer(t, b, coalesce.Options{Direct: -1})
		ctx, cancel := context.WithCancel(t.Context())
		b.leave = func(context.Context, command) { cancel() }
		err := c.Save(ctx, record(n, 0), core.NoVersion)
		if err == nil {
			known++
		} else {
			require.ErrorIs(t, err, hosts.ErrUnknown)
			require.ErrorIs(t, err, context.Canceled)
			unknown++
		}
		_, err = b.Store.Load(t.Context(), record(n, 0).ID)
		require.NoError(t, err)
	}
	t.Log(known, "heard the answer,", unknown, "the end")
}

// A caller hears that it may go directly, and its context ends, together.
func TestSentAndEndTogether(t *testing.T) {
	began := 0
	for range 300 {
		b := newBatcher(t)
		c := coalescer(t, b, coalesce.Options{Direct: 2})
		held, started := make(chan struct{}), make(chan struct{}, 4)
		b.enter = func(context.Context, command) { started <- struct{}{}; <-held }
		first := make(chan error, 3)
		for i := range 3 { // two directly, one by a worker
			go func() { first <- c.Save(t.Context(), record(i, 0), core.NoVersion) }()
			<-started
		}
		ctx, cancel := context.WithCancel(t.Context())
		b.leave = func(_ context.Context, c command) {
			if c.ids[0] == record(2, 0).ID {
				cancel()
			}
		}
		last := make(chan error, 1)
		go func() { last <- c.Save(ctx, record(3, 0), core.NoVersion) }()
		close(held)
		for range 3 {
			require.NoError(t, <-first)
		}
		err := <-last
		require.NoError(t, c.Close()) // whatever is under way ends
		_, there := b.Store.Load(t.Context(), record(3, 0).ID)
		switch {
		case err == nil:
			require.NoError(t, there)
		case errors.Is(err, hosts.ErrUnknown):
			require.ErrorIs(t, err, context.Canceled)
		default:
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, there, core.ErrNotFound)
		}
		if len(b.told[record(3, 0).Version]) > 0 {
			began++
		}
	}
	t.Log(began, "of 300 began")
}

// A call's memory serves later calls. One that was left under way gets its
// answer late, which no other caller may hear.
func TestLateAnswersReachNobodyElse(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
		for round := range 50 {
			ctx, cancel := context.WithCancel(d.Context())
			left := d.save(ctx, record(3*round, 0), core.NoVersion)
			cancel()
			require.ErrorIs(d, d.answered(left), hosts.ErrUnknown)
			require.NoError(d, d.backend.Store.Save(d.Context(), record(3*round+1, 0), core.NoVersion))
			refused := d.save(d.Context(), record(3*round+1, 1), core.NoVersion)
			stored := d.save(d.Context(), record(3*round+2, 0), core.NoVersion)
			d.release(2)
			require.ErrorIs(d, d.answered(refused), core.ErrConflict)
			require.NoError(d, d.answered(stored))
		}
	})
}

// Ten thousand wait, for many sessions and for one. All leave; who stays is
// served, and nothing of the others is stored.
func TestTenThousandLeave(t *testing.T) {
	const callers = 10_000
	for name, sessions := range map[string]int{"of one session each": callers, "of one session": 1} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
				d.insert(callers, 1) // held
				ctx, cancel := context.WithCancel(d.Context())
				answers := make(chan error, callers)
				for i := range callers {
					go func() { answers <- d.Save(ctx, record(i%sessions, i), core.NoVersion) }()
				}
				synctest.Wait()
				stays := d.save(d.Context(), record(callers+1, 0), core.NoVersion)
				began := time.Now()
				cancel()
				for range callers {
					err := <-answers
					require.ErrorIs(d, err, context.Canceled)
					require.NotErrorIs(d, err, hosts.ErrUnknown)
				}
				require.Zero(d, time.Since(began), "none waited for anything")
				d.release(2)
				require.NoError(d, d.answered(stays))
				require.Equal(d, []int{1, 1}, d.backend.sizes())
			})
		})
	}
}

func TestTenThousandAreServed(t *testing.T) {
	const callers = 10_000
	atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
		answers := make(chan error, callers)
		d.free()
		for i := range callers {
			go func() { answers <- d.Save(d.Context(), record(i, 0), core.NoVersion) }()
		}
		for range callers {
			require.NoError(d, <-answers)
		}
		largest := 0
		for _, n := range d.backend.sizes() {
			largest = max(largest, n)
		}
		require.LessOrEqual(d, largest, coalesce.DefaultBatchCalls)
		require.LessOrEqual(d, len(d.backend.sizes()), callers)
	})
}
