package cachestore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
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
	require.InEpsilon(t, LeastMaxBytes/16*13, st.Stats().Bytes, 0.1) // an index could not grow any more

	grown := withSealed(visitor(0), 2000)
	grown.Version += 1 << 40
	require.NoError(t, st.Save(ctx, grown, visitor(0).Version), "a visitor's session may grow when no new one gets in")
	tooFar := withSealed(grown, core.MaxSealed/4)
	tooFar.Version++
	require.ErrorIs(t, st.Save(ctx, tooFar, grown.Version), hosts.ErrFull)
	require.NoError(t, st.Save(ctx, visitor(0), grown.Version))
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

// loginOf is the n-th session of a user.
func loginOf(n int, tenant, user string, sealed int) core.Record {
	r := withSealed(recordOf(n), sealed)
	r.Tenant, r.User = tenant, user
	return r
}

// One user cannot fill the store by the sessions that he begins or by those that
// he lets grow. Others, also of his name in another tenant, go on meanwhile.
func TestOneUserDoesNotStopOthers(t *testing.T) {
	over, others := soak.Rounds(t, 30, 200), soak.Rounds(t, 100, 500)
	for name, c := range map[string]struct {
		options Options
		sealed  int
	}{
		"large sessions in the default store": {Options{}, core.MaxSealed - 1000},
		"small sessions in the least":         {Options{MaxBytes: LeastMaxBytes}, 300},
		"a limit that was chosen":             {Options{MaxBytes: LeastMaxBytes, MaxUserBytes: 50_000}, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := Open(c.options)
			require.NoError(t, err)
			limit, reserve := st.budget.maxUser, st.budget.max/16
			has, many, refused := int64(0), 0, 0
			for n := 0; refused < over; n++ {
				r := loginOf(n, "", "greedy", c.sealed)
				if err := st.Save(ctx, r, core.NoVersion); err == nil {
					has += int64(recordSize(&r))
					many++
					continue
				}
				refused++
				_, err := st.Load(ctx, r.ID)
				require.ErrorIs(t, err, core.ErrNotFound)
			}
			require.LessOrEqual(t, has, limit)
			require.Greater(t, has, limit-int64(c.sealed)-200)

			for n := 1 << 20; n < 1<<20+others; n++ {
				r := loginOf(n, []string{"", "acme"}[n%2], []string{"", "ann", "bob", "greedy"}[n%4], 100)
				if n%4 == 3 {
					r.Tenant = "acme"
				}
				require.NoError(t, st.Save(ctx, r, core.NoVersion))
				changed := withSealed(r, 900)
				changed.Version++
				require.NoError(t, st.Save(ctx, changed, r.Version))
				require.NoError(t, st.Delete(ctx, r.ID))
			}

			grew := int64(0)
			for n := range many { // his own can still be changed
				grown := loginOf(n, "", "greedy", c.sealed+200)
				grown.Version++
				if grew += 200; has+grew > limit+reserve {
					require.ErrorIs(t, st.Save(ctx, grown, grown.Version-1), hosts.ErrFull)
					break
				}
				require.NoError(t, st.Save(ctx, grown, grown.Version-1))
			}
			require.Positive(t, grew)
			audit(t, st)

			_, err = st.Sweep(ctx, core.MaxLifetime, 1<<30)
			require.NoError(t, err)
			require.NoError(t, st.Save(ctx, loginOf(1, "", "greedy", c.sealed), core.NoVersion), "after he has ended some")
			audit(t, st)
		})
	}
}

func TestAUserHasOneSessionOfAnySize(t *testing.T) {
	st, err := Open(Options{MaxBytes: LeastMaxBytes, MaxUserBytes: 1})
	require.NoError(t, err)
	r := loginOf(1, "", "ann", core.MaxSealed-1)
	require.NoError(t, st.Save(ctx, r, core.NoVersion))
	grown := withSealed(r, core.MaxSealed)
	grown.Version++
	require.NoError(t, st.Save(ctx, grown, r.Version))
	err = st.Save(ctx, loginOf(2, "", "ann", 1), core.NoVersion)
	require.ErrorIs(t, err, hosts.ErrFull)
	require.ErrorContains(t, err, "end some of them or raise cachestore.Options.MaxUserBytes")
	require.NoError(t, st.Save(ctx, loginOf(2, "", "bob", 1), core.NoVersion))
	shrunk := withSealed(r, 10)
	shrunk.Version += 2
	require.NoError(t, st.Save(ctx, shrunk, grown.Version))
	audit(t, st)
}

// Sessions that are there can be changed when the store takes no new ones.
func TestRoomIsKeptForChanges(t *testing.T) {
	st := open(t, LeastMaxBytes)
	n := fillUp(t, st, 0, bigRecord)
	for i := range 100 {
		r := withSealed(bigRecord(i), 1600)
		r.Version += 1 << 40
		require.NoError(t, st.Save(ctx, r, bigRecord(i).Version), "session %d grows", i)
	}
	fillUp(t, st, n, bigRecord)
	audit(t, st)
}

// A user whom two counters hold down is not: the least counts.
func TestSharesTakeTheLeastCounter(t *testing.T) {
	var s shares
	a, b := owner(1), owner(1|5<<columnBits)
	require.True(t, s.change(a, 0, 1000, 1000))
	require.False(t, s.change(a, 0, 1, 1000))
	require.EqualValues(t, 0, s.add(b, 0))
	require.True(t, s.change(b, 0, 1000, 1000))
	require.EqualValues(t, 1000, s.add(a, 0))
	require.True(t, s.change(0, 0, 1<<40, 0), "visitors are not one user")
}
