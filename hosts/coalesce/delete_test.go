package coalesce_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// ender is memory that ends many sessions in one command.
type ender struct {
	*batcher
	hold  chan struct{} // commands wait for it
	fails func(ids []core.ID) error

	mu    sync.Mutex
	ended [][]core.ID // by command
}

func (e *ender) Delete(ctx context.Context, id core.ID) error {
	return e.DeleteMany(ctx, []core.ID{id})[0]
}

func (e *ender) DeleteMany(ctx context.Context, ids []core.ID) []error {
	e.mu.Lock()
	e.ended = append(e.ended, ids)
	e.mu.Unlock()
	if e.hold != nil {
		select {
		case <-e.hold:
		case <-ctx.Done():
		}
	}
	answers := make([]error, len(ids))
	var err error
	if e.fails != nil {
		err = e.fails(ids)
	}
	for i, id := range ids {
		if answers[i] = err; err == nil {
			answers[i] = e.Store.Delete(ctx, id)
		}
	}
	return answers
}

func sizes(commands [][]core.ID) (all []int) {
	for _, c := range commands {
		all = append(all, len(c))
	}
	return all
}

// atEnds runs a test with a Store whose backend holds every delete.
func atEnds(t *testing.T, test func(t *testing.T, c *coalesce.Store, e *ender, end func(context.Context, int) chan error)) {
	synctest.Test(t, func(t *testing.T) {
		e := &ender{batcher: newBatcher(t), hold: make(chan struct{})}
		c, err := coalesce.New(e, coalesce.Options{Direct: -1})
		require.NoError(t, err)
		for n := range 8 {
			require.NoError(t, c.Save(t.Context(), record(n, 0), core.NoVersion))
		}
		test(t, c, e, func(ctx context.Context, n int) chan error {
			answer := make(chan error, 1)
			go func() { answer <- c.Delete(ctx, record(n, 0).ID) }()
			synctest.Wait()
			return answer
		})
		require.NoError(t, c.Close())
	})
}

func TestLogoutsThatWaitGoTogether(t *testing.T) {
	atEnds(t, func(t *testing.T, c *coalesce.Store, e *ender, end func(context.Context, int) chan error) {
		var answers []chan error
		for n := range 8 {
			answers = append(answers, end(t.Context(), n))
		}
		close(e.hold)
		for n, answer := range answers {
			require.NoError(t, <-answer)
			_, err := c.Load(t.Context(), record(n, 0).ID)
			require.ErrorIs(t, err, core.ErrNotFound)
		}
		require.Equal(t, []int{1, 7}, sizes(e.ended))
	})
}

// TestABadLogoutFailsAlone: a batch that failed whole is done in halves.
func TestABadLogoutFailsAlone(t *testing.T) {
	bad := errors.New("held by somebody")
	atEnds(t, func(t *testing.T, c *coalesce.Store, e *ender, end func(context.Context, int) chan error) {
		e.fails = func(ids []core.ID) error {
			for _, id := range ids {
				if id == record(5, 0).ID {
					return fmt.Errorf("%w: %w", hosts.ErrBatch, bad)
				}
			}
			return nil
		}
		var answers []chan error
		for n := range 8 {
			answers = append(answers, end(t.Context(), n))
		}
		close(e.hold)
		for n, answer := range answers {
			if err := <-answer; n == 5 {
				require.ErrorIs(t, err, bad)
			} else {
				require.NoError(t, err)
			}
		}
	})
}

// TestWhoLogsOutMayLeave: whether the session has ended is unknown once the call
// has begun.
func TestWhoLogsOutMayLeave(t *testing.T) {
	atEnds(t, func(t *testing.T, c *coalesce.Store, e *ender, end func(context.Context, int) chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		begun, waiting := end(ctx, 0), end(ctx, 1)
		cancel()
		err := <-begun
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, hosts.ErrUnknown)
		err = <-waiting
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, hosts.ErrUnknown)
		close(e.hold)
		synctest.Wait()
		_, err = c.Load(t.Context(), record(1, 0).ID)
		require.NoError(t, err)
	})
}

func TestCloseAnswersLogoutsThatWait(t *testing.T) {
	atEnds(t, func(t *testing.T, c *coalesce.Store, e *ender, end func(context.Context, int) chan error) {
		begun, waiting := end(t.Context(), 0), end(t.Context(), 1)
		closed := make(chan error, 1)
		go func() { closed <- c.Close() }()
		require.ErrorIs(t, <-waiting, hosts.ErrClosed)
		close(e.hold)
		require.NoError(t, <-begun)
		require.NoError(t, <-closed)
	})
}
