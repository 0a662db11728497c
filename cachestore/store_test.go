package cachestore

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

func TestOpenRefuses(t *testing.T) {
	for _, n := range []int64{-1, 1, LeastMaxBytes - 1, LargestMaxBytes + 1, -1 << 63} {
		st, err := Open(Options{MaxBytes: n})
		require.Nil(t, st)
		require.ErrorContains(t, err, "cachestore: Options.MaxBytes is ")
		require.ErrorContains(t, err, "allowed are 4194304 to 68719476736 bytes, or 0 for 268435456")
	}
	for _, n := range []int64{LeastMaxBytes, LeastMaxBytes*2 - 1, 100_000_000, LargestMaxBytes} {
		require.Equal(t, n, open(t, n).Stats().MaxBytes)
	}
	require.EqualValues(t, DefaultMaxBytes, open(t, 0).Stats().MaxBytes)
	for _, n := range []int64{-1, LeastMaxBytes + 1} {
		_, err := Open(Options{MaxBytes: LeastMaxBytes, MaxUserBytes: n})
		require.ErrorContains(t, err, fmt.Sprintf("cachestore: Options.MaxUserBytes is %d: allowed are 1 to MaxBytes, 4194304, or 0 for a quarter of it", n))
	}
	require.EqualValues(t, DefaultMaxBytes/4, open(t, 0).budget.maxUser)
}

// every calls each method and passes its error on.
func every(st *Store, ctx context.Context, check func(error)) {
	_, err := st.Load(ctx, idOf(1))
	check(err)
	check(st.Save(ctx, recordOf(1), recordOf(1).Version))
	check(st.Save(ctx, recordOf(2), core.NoVersion))
	check(st.Delete(ctx, idOf(1)))
	_, err = st.Sweep(ctx, core.MaxLifetime, 10)
	check(err)
	_, err = st.Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 10)
	check(err)
}

func TestDoneContextChangesNothing(t *testing.T) {
	st := open(t, LeastMaxBytes)
	require.NoError(t, st.Save(ctx, recordOf(1), core.NoVersion))
	done, cancel := context.WithCancel(ctx)
	cancel()
	every(st, done, func(err error) {
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "cachestore: ")
	})
	got, err := st.Load(ctx, idOf(1))
	require.NoError(t, err)
	require.Equal(t, recordOf(1), got)
	require.Equal(t, 1, st.Stats().Sessions)
}

func TestClose(t *testing.T) {
	st := open(t, LeastMaxBytes)
	require.NoError(t, st.Save(ctx, recordOf(1), core.NoVersion))
	require.NoError(t, st.Close())
	require.NoError(t, st.Close())
	every(st, ctx, func(err error) { require.ErrorIs(t, err, hosts.ErrClosed) })
	require.Equal(t, hosts.MemoryStats{Bytes: st.fixed(), MaxBytes: LeastMaxBytes}, st.Stats())
	audit(t, st)
}

// What Load hands out costs one allocation for Sealed and one for the names.
func TestLoadAllocations(t *testing.T) {
	st := open(t, LeastMaxBytes)
	named, nameless := recordOf(1), recordOf(2)
	named.Tenant, nameless.User = "acme", ""
	for allocs, r := range map[float64]core.Record{1: nameless, 2: named} {
		require.NoError(t, st.Save(ctx, r, core.NoVersion))
		require.Equal(t, allocs, testing.AllocsPerRun(100, func() { _, _ = st.Load(ctx, r.ID) }))
	}
}

// The sealed bytes of a large record are not copied, and stay what they are when
// the record is changed, moved and ended.
func TestLargeRecordsAreNotCopied(t *testing.T) {
	for _, size := range []int{1500, 2500, 9000, 40_000, core.MaxSealed} {
		st := open(t, LeastMaxBytes)
		large := func(n, version int) core.Record {
			r := recordOf(n)
			r.User, r.Version, r.Sealed = "", core.Version(version), bytes.Repeat([]byte{byte(10*n + version)}, size)
			return r
		}
		require.NoError(t, st.Save(ctx, large(1, 1), core.NoVersion))
		require.NoError(t, st.Save(ctx, large(2, 1), core.NoVersion))
		allocs := float64(0)
		if size < largeSlot {
			allocs = 1
		}
		require.Equal(t, allocs, testing.AllocsPerRun(20, func() { _, _ = st.Load(ctx, idOf(1)) }))

		var kept []core.Record
		keep := func(n int) {
			r, err := st.Load(ctx, idOf(n))
			require.NoError(t, err)
			kept = append(kept, r)
		}
		keep(1)
		keep(2)
		require.NoError(t, st.Save(ctx, large(2, 2), 1))
		keep(2)
		login := large(2, 3)
		login.User = "ann"
		require.NoError(t, st.Save(ctx, login, 2), "in the indexes elsewhere")
		require.NoError(t, st.Delete(ctx, idOf(1)), "the other takes its slot")
		require.NoError(t, st.Save(ctx, large(3, 1), core.NoVersion))
		for i, want := range []core.Record{large(1, 1), large(2, 1), large(2, 2)} {
			require.Equal(t, want, kept[i])
		}
		audit(t, st)
	}
}

func TestSizeClasses(t *testing.T) {
	for n := headerSize; n <= maxRecord; n += 1 + n/500 {
		c := classOf(n)
		require.GreaterOrEqual(t, slotSize(c), n)
		require.LessOrEqual(t, slotSize(c), n*9/8+1, "a slot for %d bytes", n)
		require.Equal(t, c, classOf(slotSize(c)))
		require.Equal(t, c+1, classOf(slotSize(c)+1))
		require.Equal(t, 123, refOf(c, 123).index())
		require.Equal(t, c, refOf(c, 123).class())
	}
	require.Equal(t, classes-1, classOf(maxRecord))
	require.Equal(t, maxIndex, refOf(classes-1, maxIndex).index())
	require.Equal(t, classes-1, refOf(classes-1, maxIndex).class())
}

// Takers at the same time get the limit to the last byte, and no byte more.
func TestBudgetIsExact(t *testing.T) {
	b := &budget{max: 80_003}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for b.take(4, b.max) {
			}
			for b.take(1, b.max) {
			}
		})
	}
	group.Wait()
	require.Equal(t, b.max, b.held.Load())
	require.Equal(t, b.max, b.limit(false, false))
	require.EqualValues(t, 80_003-5000*1, b.limit(false, true))
	require.EqualValues(t, 80_003-5000*2, b.limit(true, false))
	require.EqualValues(t, 80_003-5000*3, b.limit(true, true))
	require.False(t, b.take(1, b.max))
	b.give(10)
	require.Nil(t, grown[byte](b, 11, 1, b.max))
	require.Nil(t, grown[byte](b, 9, 1, b.max), "the allocator makes it 16")
	require.Equal(t, b.max-10, b.held.Load())
}

// A store that was large and is small again holds little.
func TestMemoryShrinks(t *testing.T) {
	const few = 200
	many := soak.Rounds(t, 12_000, 40_000)
	st := open(t, modelBytes)
	for n := range many {
		require.NoError(t, st.Save(ctx, recordOf(n), core.NoVersion))
	}
	require.Greater(t, st.Stats().Bytes, int64(many*recordBytes))
	for n := few; n < many; n++ {
		if err := st.Delete(ctx, idOf(n)); err != nil {
			t.Fatal(err)
		}
	}
	require.Less(t, st.Stats().Bytes-st.fixed(), int64(few*recordBytes+len(st.shards)*2*slabBytes))
	audit(t, st)
}

// collision returns two numbers that f gives the same hash.
func collision(f func(n int) uint32) (int, int) {
	seen := map[uint32]int{}
	for n := 0; ; n++ {
		if m, ok := seen[f(n)]; ok {
			return m, n
		}
		seen[f(n)] = n
	}
}

// IDs and users of the same hash are told apart.
func TestHashCollisions(t *testing.T) {
	st := open(t, LeastMaxBytes)
	user := func(n int) string { return fmt.Sprint("user ", n) }
	a, b := collision(func(n int) uint32 { return hashID(idOf(n)) })
	c, d := collision(func(n int) uint32 { return st.shards[0].hashUser([]byte(user(n))) })
	owners := map[core.ID]int{idOf(a): c, idOf(b): d}
	for id, owner := range owners {
		r := recordOf(1)
		r.ID, r.User = id, user(owner)
		_, err := st.Load(ctx, r.ID)
		require.ErrorIs(t, err, core.ErrNotFound)
		require.NoError(t, st.Save(ctx, r, core.NoVersion))
	}
	for id, owner := range owners {
		r, err := st.Load(ctx, id)
		require.NoError(t, err)
		require.Equal(t, id, r.ID)
		found, err := st.Find(ctx, hosts.Query{User: user(owner)}, core.ID{}, 10)
		require.NoError(t, err)
		require.Equal(t, []core.Record{r}, found)
	}
	audit(t, st)
}

// A table whose keys collide and wrap around its end still finds each of them.
func TestTableCollisions(t *testing.T) {
	b := &budget{max: 1 << 20}
	rnd := rand.New(rand.NewPCG(1, 2))
	hashes := []uint32{0, 1, 1 << 31, 1<<32 - 1, 1<<32 - 2, 1<<32 - 1<<20}
	tab, kept := table{}, map[ref]uint32{}
	stage := soak.Rounds(t, 800, 2000)
	for i := range 4 * stage {
		r := ref(1 + rnd.IntN(40+400*(i/stage)))
		if hash, ok := kept[r]; ok {
			tab.remove(hash, r)
			tab.trim(b)
			delete(kept, r)
		} else if tab.room(b, b.max) {
			kept[r] = hashes[rnd.IntN(len(hashes))]
			tab.add(kept[r], r)
		}
		require.Equal(t, len(kept), tab.used)
		require.EqualValues(t, cap(tab.entries)*entryBytes, b.held.Load())
		if i%50 != 0 {
			continue
		}
		for r, hash := range kept {
			require.Equal(t, r, tab.find(hash, func(x ref) bool { return x == r }))
		}
		require.Zero(t, tab.find(1, func(x ref) bool { return x == 0 }))
	}
}
