package hosts_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// holding stops each save until the test lets it go on.
type holding struct {
	hosts.Store
	pass chan struct{} // closed: saves pass
}

func (s *holding) Save(ctx context.Context, r core.Record, prev core.Version) error {
	<-s.pass
	return s.Store.Save(ctx, r, prev)
}

// Requests of one session are stored together. Who is refused by what another of
// them did is answered when that is stored, and not before: it may yet lose to
// another server, and that one's answer would contradict theirs.
func TestRefusalsWaitForWhatRefusesThem(t *testing.T) {
	refused := errors.New("there is a winner")
	claim := func(old any, ok bool) (any, error) {
		if ok {
			return nil, refused
		}
		return "mine", nil
	}
	seat := func(ctx context.Context, m *site, id core.ID) error { return m.Set(ctx, id, "seat", "mine") }
	for name, c := range map[string]struct {
		one  func(ctx context.Context, m *site, id core.ID) error
		want error
	}{
		"take": {func(ctx context.Context, m *site, id core.ID) error {
			_, err := m.Take(ctx, id, "link")
			return err
		}, hosts.ErrNoValue},
		"update":    {func(ctx context.Context, m *site, id core.ID) error { return m.Update(ctx, id, "winner", claim) }, refused},
		"exclusive": {seat, core.ErrConflict},
	} {
		for _, wins := range []string{"another server", "one of them"} {
			t.Run(name+", "+wins, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { refusals(t, c.one, c.want, wins == "another server") })
			})
		}
	}
}

func refusals(t *testing.T, one func(context.Context, *site, core.ID) error, want error, lost bool) {
	store := memory(t)
	config := hosts.Config{Exclusive: []string{"seat"}, Clock: newClock()}
	other := open(t, store, config)
	held := &holding{store, make(chan struct{})}
	close(held.pass)
	m := open(t, held, config)
	id := other.create().ID
	require.NoError(t, other.Set(t.Context(), id, "link", "once"))

	// One more loses its first save, and opens a line that the others join.
	held.pass = make(chan struct{})
	opened := make(chan error, 1)
	go func() { opened <- m.Set(t.Context(), id, "opener", true) }()
	synctest.Wait()
	require.NoError(t, other.Set(t.Context(), id, "other", 1))
	held.pass <- struct{}{} // a conflict
	synctest.Wait()
	const callers = 3
	answers := make(chan error, callers)
	for range callers {
		go func() { answers <- one(t.Context(), m, id) }()
	}
	synctest.Wait()
	held.pass <- struct{}{}
	require.NoError(t, <-opened)
	synctest.Wait() // one save of all is at the store
	require.Empty(t, answers, "answered before the batch is stored")

	won := 0
	if lost {
		require.NoError(t, one(t.Context(), other, id))
		won++
	}
	close(held.pass)
	for range callers {
		if err := <-answers; err != nil {
			require.ErrorIs(t, err, want)
			continue
		}
		won++
	}
	require.Equal(t, 1, won)
}
