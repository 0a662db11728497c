package hosts_test

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// losing loses the answer of its next save, before or after it is applied, and
// lets others in before the caller hears of it.
type losing struct {
	hosts.Store
	applies   bool
	cause     error // [hosts.ErrUnavailable]
	meanwhile func()
}

func (s *losing) Save(ctx context.Context, r core.Record, prev core.Version) error {
	do := s.meanwhile
	if do == nil {
		return s.Store.Save(ctx, r, prev)
	}
	s.meanwhile = nil
	if s.applies {
		if err := s.Store.Save(ctx, r, prev); err != nil {
			return err
		}
	}
	do()
	return cmp.Or(s.cause, hosts.ErrUnavailable)
}

// A record remembers its last eight versions: so long it can be found out what
// became of a save, and it is made up for if it was not applied. Beyond that
// it is unknown, and never done again.
func TestWhatBecameOfALostAnswer(t *testing.T) {
	for _, c := range []struct {
		applies bool
		others  int // saves of others meanwhile
		want    error
		hits    int
	}{
		{true, 0, nil, 1}, {true, 1, nil, 1}, {true, 8, nil, 1}, {true, 9, hosts.ErrUnknown, 1}, {true, 50, hosts.ErrUnknown, 1},
		{false, 0, nil, 1}, {false, 1, nil, 1}, {false, 8, nil, 1}, {false, 9, hosts.ErrUnknown, 0}, {false, 50, hosts.ErrUnknown, 0},
	} {
		what := fmt.Sprintf("%+v", c)
		store := memory(t)
		others := open(t, store, adding(newClock()))
		lossy := &losing{Store: store, applies: c.applies}
		m := open(t, lossy, adding(others.clock))
		id := others.create().ID
		for i := range 20 { // so that no history reaches back to the beginning
			require.NoError(t, others.Set(t.Context(), id, "before", i))
		}
		n, err := m.Load(t.Context(), id)
		require.NoError(t, err)
		n.Data["hits"] = 1
		lossy.meanwhile = func() {
			for i := range c.others {
				require.NoError(t, others.Set(t.Context(), id, "others", i))
			}
		}
		err = m.Save(t.Context(), n)
		require.ErrorIs(t, err, c.want, what)
		hits, _ := others.data(id)["hits"].(int)
		require.Equal(t, c.hits, hits, what)
		if c.want == nil && c.others > 0 {
			require.Equal(t, c.others-1, others.data(id)["others"], what)
		}
	}
}

func TestLostAnswerOfASessionThatEnded(t *testing.T) {
	for _, applies := range []bool{true, false} {
		store := memory(t)
		others := open(t, store, hosts.Config{})
		lossy := &losing{Store: store, applies: applies}
		m := open(t, lossy, hosts.Config{})
		n := others.create()
		n, err := m.Load(t.Context(), n.ID)
		require.NoError(t, err)
		n.Data["name"] = 1
		lossy.meanwhile = func() { require.NoError(t, others.Destroy(t.Context(), n.ID)) }
		require.ErrorIs(t, m.Save(t.Context(), n), core.ErrEnded)
		m.gone(n.ID)
	}
}

// mixing answers with another session than it was asked for.
type mixing struct {
	hosts.Store
	with core.ID
}

func (s *mixing) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if s.with != (core.ID{}) {
		id = s.with
	}
	return s.Store.Load(ctx, id)
}

func TestStoreThatMixesSessionsUp(t *testing.T) {
	store := &mixing{Store: memory(t)}
	m := open(t, store, hosts.Config{})
	a, b := m.create(), m.create()
	store.with = b.ID
	_, err := m.Load(t.Context(), a.ID)
	require.ErrorIs(t, err, core.ErrCorrupt)
	require.ErrorContains(t, err, "answered with another")
}

// A conflict first, and then the store fails: the whole line hears it.
func TestTheLineHearsOfFailures(t *testing.T) {
	for failure, want := range map[error]error{hosts.ErrFull: hosts.ErrFull, hosts.ErrUnavailable: hosts.ErrUnknown} {
		store := memory(t)
		m := open(t, store, adding(newClock()))
		id := m.create().ID
		n, err := m.Load(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, m.Set(t.Context(), id, "hits", 1))
		n.Data["hits"] = 1
		line := open(t, &later{Store: store, failure: failure}, adding(m.clock))
		require.ErrorIs(t, line.Save(t.Context(), n), want)
		require.Equal(t, 1, m.data(id)["hits"])
	}
}

// later lets one save through to its conflict and fails the others.
type later struct {
	hosts.Store
	failure error
	saves   int
}

func (s *later) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if s.saves++; s.saves == 1 {
		return s.Store.Save(ctx, r, prev)
	}
	return s.failure
}

// An update of which it is not known whether it is stored is not made a second time by the
// commit at the end of its request.
func TestAnUpdateOfUnknownOutcomeIsNotRunAgain(t *testing.T) {
	store := memory(t)
	others := open(t, store, hosts.Config{})
	lossy := &losing{Store: store, applies: true}
	m := open(t, lossy, hosts.Config{Clock: others.clock})
	ann := newBrowser()
	id := ann.login(others, "ann").ID
	crowd := func() {
		for i := range 20 {
			require.NoError(t, others.Set(t.Context(), id, "before", i))
		}
	}
	crowd() // so that no history reaches back to the beginning
	x := ann.ask(m)
	_, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	lossy.meanwhile = crowd
	require.ErrorIs(t, m.Update(x, id, "n", oneMore), hosts.ErrUnknown)
	_, err = m.Commit(x, x.Current())
	require.ErrorContains(t, err, "no function is kept")
	require.Equal(t, 1, m.data(id)["n"])
}
