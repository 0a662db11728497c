package sqlite_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
)

// endsAfter is a context that ends when it has been asked n times.
type endsAfter struct {
	context.Context
	n *int
}

func (c endsAfter) Err() error {
	if *c.n--; *c.n < 0 {
		return context.Canceled
	}
	return nil
}

// Whenever the context ends, a call that returns its error has changed nothing,
// and the connection serves the next one.
func TestCancelledAtAnyMomentChangesNothing(t *testing.T) {
	s, _ := stored(t, sqlite.Options{})
	for name, call := range map[string]func(context.Context) error{
		"cheap save": func(ctx context.Context) error { return s.Save(ctx, sessionTwo, sessionOne.Version) },
		"full save": func(ctx context.Context) error {
			moved := sessionTwo
			moved.User = "eve"
			return s.Save(ctx, moved, sessionOne.Version)
		},
		"delete": func(ctx context.Context) error { return s.Delete(ctx, sessionOne.ID) },
	} {
		moments := 0
		for ; ; moments++ {
			left := moments
			if err := call(endsAfter{t.Context(), &left}); err == nil {
				break
			} else {
				require.ErrorIs(t, err, context.Canceled, name)
			}
			requireHas(t, s, sessionOne)
		}
		require.GreaterOrEqual(t, moments, 4, "%s: before, at the begin, the change and the commit", name)
		require.NoError(t, s.Delete(t.Context(), sessionOne.ID))
		require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	}
}

// SQLite looks at the context each thousand steps of a statement, counted over
// all its runs: so also when a begin or a commit is done.
func TestCancelledOverAndOver(t *testing.T) {
	s, _ := stored(t, sqlite.Options{Fast: true})
	r := sessionOne
	cancelled := 0
	for i := range 5000 {
		next := r
		next.Version = core.Version(i + 2)
		left := 1 + i%4
		err := s.Save(endsAfter{t.Context(), &left}, next, r.Version)
		if err == nil {
			r = next
		} else {
			require.ErrorIs(t, err, context.Canceled)
			cancelled++
		}
		requireHas(t, s, r)
	}
	require.Greater(t, cancelled, 1000)
	require.Less(t, cancelled, 4900)
}
