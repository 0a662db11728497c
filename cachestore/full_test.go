package cachestore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// bigRecord keeps the number of sessions in a full store small.
func bigRecord(n int) core.Record { return withSealed(recordOf(n), 1200) }

func withSealed(r core.Record, n int) core.Record {
	r.Sealed = make([]byte, n)
	return r
}

// fillUp inserts sessions from first on until one is refused, and returns the
// first that is not in the store.
func fillUp(t *testing.T, st *Store, first int, record func(int) core.Record) int {
	t.Helper()
	for n := first; ; n++ {
		err := st.Save(ctx, record(n), core.NoVersion)
		require.LessOrEqual(t, st.Stats().Bytes, st.Stats().MaxBytes)
		if err == nil {
			continue
		}
		require.ErrorIs(t, err, hosts.ErrFull)
		require.ErrorContains(t, err, "cachestore: session store is full: no room for a session of ")
		require.ErrorContains(t, err, "MaxBytes is 4194304")
		require.ErrorContains(t, err, "raise cachestore.Options.MaxBytes")
		_, err = st.Load(ctx, idOf(n))
		require.ErrorIs(t, err, core.ErrNotFound)
		return n
	}
}

func requireAll(t *testing.T, st *Store, n int, record func(int) core.Record) {
	t.Helper()
	require.Equal(t, n, st.Stats().Sessions)
	for i := range n {
		got, err := st.Load(ctx, idOf(i))
		require.NoError(t, err)
		require.Equal(t, record(i).Sealed, got.Sealed)
	}
}

// A full store drops nobody; what it has can still be changed, and ended.
func TestFull(t *testing.T) {
	st := open(t, LeastMaxBytes)
	n := fillUp(t, st, 0, bigRecord)
	require.Greater(t, n, 2000)
	requireAll(t, st, n, bigRecord)
	audit(t, st)

	shrunk := func(i int) core.Record { return withSealed(bigRecord(i), 10) }
	for i := range n {
		r := bigRecord(i)
		r.Version, r.SeenAt, r.ExpiresAt = r.Version+1<<40, core.Hour, r.ExpiresAt+core.Hour
		require.NoError(t, st.Save(ctx, r, bigRecord(i).Version), "a touch")
	}
	grown := withSealed(bigRecord(0), core.MaxSealed)
	require.ErrorIs(t, st.Save(ctx, grown, grown.Version+1<<40), hosts.ErrFull)
	requireAll(t, st, n, bigRecord)
	for i := range n {
		r := shrunk(i)
		r.Version += 1 << 41
		require.NoError(t, st.Save(ctx, r, bigRecord(i).Version+1<<40), "a smaller session")
	}
	requireAll(t, st, n, shrunk)
	audit(t, st)

	swept, err := st.Sweep(ctx, core.MaxLifetime, 2*n)
	require.NoError(t, err)
	require.Equal(t, n, swept)
	require.Equal(t, st.fixed(), st.Stats().Bytes)
}

// After a flood of visitors nobody new gets in without a user, a visitor's
// session takes no more memory, and users still log in: with a new session or
// with the one that they had.
func TestVisitorsLeaveRoomForLogins(t *testing.T) {
	visitor := func(n int) core.Record {
		r := bigRecord(n)
		r.User = ""
		return r
	}
	st := open(t, LeastMaxBytes)
	n := fillUp(t, st, 0, visitor)
	require.InEpsilon(t, LeastMaxBytes/8*7, st.Stats().Bytes, 0.05) // an index could not grow any more

	grown := withSealed(visitor(0), core.MaxSealed/4)
	grown.Version++
	require.ErrorIs(t, st.Save(ctx, grown, visitor(0).Version), hosts.ErrFull)
	for i := range 200 {
		login := bigRecord(i)
		login.Version += 1 << 40
		require.NoError(t, st.Save(ctx, login, visitor(i).Version))
	}
	end := fillUp(t, st, n, bigRecord)
	require.Greater(t, end-n, 200)
	require.Equal(t, end, st.Stats().Sessions)

	require.NoError(t, st.Delete(ctx, idOf(400)))
	require.ErrorIs(t, st.Save(ctx, visitor(400), core.NoVersion), hosts.ErrFull)
	require.NoError(t, st.Save(ctx, bigRecord(400), core.NoVersion))
	audit(t, st)
}
