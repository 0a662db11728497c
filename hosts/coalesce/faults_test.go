package coalesce_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// errPoison is what a backend says of a record that it cannot store.
var errPoison = errors.New("value out of range")

// poisoned fails commands with session number n among others, as a whole, and
// alone for good.
func poisoned(n int) func(command) error {
	return func(c command) error {
		switch {
		case !slices.Contains(c.ids, record(n, 0).ID):
			return nil
		case c.many:
			return fmt.Errorf("transaction: %w", hosts.ErrBatch)
		}
		return errPoison
	}
}

func TestOneBadCallFailsAlone(t *testing.T) {
	for _, n := range []int{2, 3, 16, 100} {
		for _, bad := range []int{1, n/2 + 1, n} {
			atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
				d.backend.fails = poisoned(bad)
				answers := d.insert(0, n+1) // the first keeps the others waiting
				d.free()
				for i, answer := range answers {
					err := d.answered(answer)
					if i == bad {
						require.ErrorIs(d, err, errPoison)
					} else {
						require.NoError(d, err)
					}
					require.Equal(d, i != bad, d.stored(i))
				}
				require.LessOrEqual(d, len(d.backend.seen()), 2+2*8, "commands for %d calls: halves, not one for each", n)
			})
		}
	}
}

// Only what is known to have changed nothing is done again.
func TestNothingElseIsDoneAgain(t *testing.T) {
	lost := errors.New("connection reset")
	for _, c := range []struct {
		name string
		mend func(b *batcher)
		want error
	}{
		{"another error of all", func(b *batcher) { b.fails = func(command) error { return lost } }, lost},
		{"of some that nothing was applied", func(b *batcher) {
			b.spoil = func(errs []error) []error { errs[0] = nil; return errs }
			b.fails = func(command) error { return hosts.ErrBatch }
		}, nil},
		{"too few answers", func(b *batcher) { b.spoil = func(errs []error) []error { return errs[1:] } }, hosts.ErrUnknown},
		{"too many answers", func(b *batcher) { b.spoil = func(errs []error) []error { return append(errs, nil) } }, hosts.ErrUnknown},
		{"no answers", func(b *batcher) { b.spoil = func([]error) []error { return nil } }, hosts.ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
				first := d.insert(0, 1)[0]
				answers := d.insert(1, 4)
				d.release(1)
				require.NoError(d, d.answered(first))
				c.mend(d.backend)
				d.release(1)
				for _, answer := range answers {
					if err := d.answered(answer); c.want != nil {
						require.ErrorIs(d, err, c.want)
					}
				}
				require.Equal(d, []int{1, 4}, d.backend.sizes())
			})
		})
	}
}

// A batch that fails in every half goes on no longer than its context.
func TestHalvesEndWithTheContextOfTheBatch(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1, Timeout: time.Second}, func(d *desk) {
		answers := d.insert(0, 257)
		d.backend.fails = func(c command) error {
			<-time.After(300 * time.Millisecond)
			return hosts.ErrBatch
		}
		began := time.Now()
		d.free()
		for _, answer := range answers {
			require.ErrorIs(d, <-answer, hosts.ErrBatch)
		}
		// The first is alone; of the others' commands four fit in a second.
		require.Equal(d, 1500*time.Millisecond, time.Since(began), "no command begins after it has ended")
	})
}

func TestBatchesHaveTheirOwnContext(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1, Timeout: time.Minute}, func(d *desk) {
		began := time.Now()
		answers := d.insert(0, 3) // commands are held until their context ends
		for _, answer := range answers {
			err := <-answer
			require.ErrorIs(d, err, hosts.ErrUnknown, "it is none of the caller's context")
			require.ErrorIs(d, err, context.DeadlineExceeded)
		}
		require.Equal(d, 2*time.Minute, time.Since(began))
		_, err := d.Load(d.Context(), record(0, 0).ID)
		require.ErrorIs(d, err, hosts.ErrUnavailable)
	})
}

// What a backend does that it must not.
var misdeeds = map[string]func(command){
	"panics with a text":      func(command) { panic("password=hunter2") },
	"panics with an error":    func(command) { panic(errors.New("password=hunter2")) },
	"runs out of an index":    func(c command) { c.ids = c.ids[:len(c.ids)+runtime.NumGoroutine()] },
	"ends its own goroutine":  func(command) { runtime.Goexit() },
	"panics while it panics":  func(command) { defer func() { panic("hunter2") }(); panic("hunter2") },
	"panics with nothing":     func(command) { panic(error(nil)) },
	"follows a nil reference": func(command) { var r *core.Record; _ = r.User },
}

func TestBackendThatPanics(t *testing.T) {
	for name, misdeed := range misdeeds {
		t.Run(name, func(t *testing.T) {
			atDesk(t, coalesce.Options{Direct: 1}, func(d *desk) {
				direct := d.insert(0, 1)[0]
				one := d.insert(1, 1)[0] // by a worker
				rest := d.insert(2, 5)
				d.backend.fails = func(c command) error { misdeed(c); return nil }
				d.release(3)
				answers := append(rest, one)
				if name != "ends its own goroutine" { // which is the caller's here
					answers = append(answers, direct)
				}
				for _, answer := range answers {
					err := d.answered(answer)
					require.ErrorIs(d, err, hosts.ErrUnknown)
					require.Contains(d, err.Error(), "coalesce_test.")
					require.NotContains(d, err.Error(), "hunter2")
				}
				loaded := make(chan error, 1)
				go func() {
					_, err := d.Load(d.Context(), record(0, 0).ID)
					loaded <- err
				}()
				if d.release(1); name != "ends its own goroutine" {
					require.ErrorIs(d, d.answered(loaded), hosts.ErrUnavailable)
				}
				d.backend.fails = nil
				after := d.insert(7, 3)
				d.free()
				for _, answer := range after {
					require.NoError(d, d.answered(answer), "the lane goes on")
				}
			})
		})
	}
}

// A backend that heeds no context: callers leave by theirs, and Close ends.
func TestBackendThatHangs(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: 1, Timeout: time.Second}, func(d *desk) {
		release := make(chan struct{})
		d.backend.enter = func(context.Context, command) { <-release }
		ctx, cancel := context.WithTimeout(d.Context(), 3*time.Second)
		defer cancel()
		d.insert(0, 1) // direct
		under := d.save(ctx, record(1, 0), core.NoVersion)
		waiting := d.save(ctx, record(2, 0), core.NoVersion)
		began := time.Now()
		require.ErrorIs(d, <-under, hosts.ErrUnknown)
		require.NotErrorIs(d, <-waiting, hosts.ErrUnknown)
		require.Equal(d, 3*time.Second, time.Since(began))
		stays := d.save(d.Context(), record(3, 0), core.NoVersion)
		began = time.Now()
		require.ErrorIs(d, d.Close(), hosts.ErrUnavailable)
		require.Equal(d, 2*time.Second, time.Since(began))
		require.ErrorIs(d, d.answered(stays), hosts.ErrClosed)
		close(release)
		synctest.Wait()
	})
}

func TestCloseAnswersThoseThatWait(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: 1}, func(d *desk) {
		under := d.insert(0, 2) // direct, and by a worker
		waiting := append(d.insert(2, 3), d.save(d.Context(), record(2, 1), record(2, 0).Version), d.save(d.Context(), record(1, 1), record(1, 0).Version))
		closed := make(chan error, 2)
		for range 2 {
			go func() { closed <- d.Close() }()
		}
		for _, answer := range waiting {
			err := d.answered(answer)
			require.ErrorIs(d, err, hosts.ErrClosed)
			require.NotErrorIs(d, err, hosts.ErrUnknown)
		}
		d.waits(closed)
		require.ErrorIs(d, d.Save(d.Context(), record(9, 0), core.NoVersion), hosts.ErrClosed)
		_, err := d.Load(d.Context(), record(9, 0).ID)
		require.ErrorIs(d, err, hosts.ErrClosed)
		d.release(2)
		for _, answer := range under {
			require.NoError(d, d.answered(answer), "what was under way is answered")
		}
		require.NoError(d, <-closed)
		require.NoError(d, <-closed)
		require.Equal(d, []int{1, 1}, d.backend.sizes())
	})
}

func TestCloseRacesCalls(t *testing.T) {
	for round := range 50 {
		before := runtime.NumGoroutine()
		b := newBatcher(t)
		c, err := coalesce.New(b, coalesce.Options{Direct: round%3 - 1})
		require.NoError(t, err)
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				for n := range 100 {
					r := record(100*i+n, 0)
					err := c.Save(t.Context(), r, core.NoVersion)
					_, there := b.Store.Load(t.Context(), r.ID)
					switch {
					case errors.Is(err, hosts.ErrClosed):
						if !errors.Is(there, core.ErrNotFound) {
							t.Error("refused, and stored")
						}
						return
					case err != nil || there != nil:
						t.Error(err, there)
					}
				}
			})
		}
		if round%2 == 0 {
			runtime.Gosched()
		}
		require.NoError(t, c.Close())
		commands := len(b.seen())
		all.Wait()
		require.Len(t, b.seen(), commands, "nothing reaches the backend once Close has returned")
		for tries := 0; runtime.NumGoroutine() > before; tries++ {
			require.Less(t, tries, 10_000, "a goroutine is left")
			runtime.Gosched()
		}
	}
}
