package seglog

import (
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

const (
	fullSessions = 1400 // of 200 bytes, at least, in a MiB of disk, in segments of the default size
	fullCallers  = 512
)

// fullDisk returns a disk that is to be filled, and how many sessions it takes at least.
func fullDisk(t *testing.T) (dir string, least int) {
	t.Helper()
	size := soak.Rounds(t, 30, 100) // MiB
	_, dir = imageDisk(t, t.TempDir(), int64(size)<<20)
	return dir, size * fullSessions
}

// fillWhole saves sessions until the disk takes no more, and returns how many.
// Those that the same batch saved after the first refusal, because a file came
// free meanwhile, are ended again: the numbers have no hole.
func fillWhole(t *testing.T, dir string) (n int) {
	t.Helper()
	s := open(t, Options{Dir: dir, Fast: true, Logger: quiet})
	var full error
	for full == nil {
		saves := make([]hosts.Saving, batchCalls)
		for i := range saves {
			saves[i].Record = fullRecord(n + i)
		}
		for i, err := range (batched{s}).SaveMany(t.Context(), saves) {
			switch {
			case err != nil && full == nil:
				full = err
			case err == nil && full == nil:
				n++
			case err == nil:
				require.NoError(t, s.Delete(t.Context(), saves[i].Record.ID))
			}
		}
	}
	require.ErrorIs(t, full, hosts.ErrFull)
	require.NoError(t, s.Close())
	return n
}

// endAll ends sessions one by one, from many goroutines at once.
func endAll(t *testing.T, s *Store, ids []int) {
	t.Helper()
	next := make(chan int)
	var all sync.WaitGroup
	for range fullCallers {
		all.Go(func() {
			for n := range next {
				if err := s.Delete(t.Context(), fullRecord(n).ID); err != nil {
					t.Errorf("session %d: %v", n, err)
				}
			}
		})
	}
	for _, n := range ids {
		if next <- n; t.Failed() {
			break
		}
	}
	close(next)
	all.Wait()
	require.False(t, t.Failed())
}

func requireCount(t *testing.T, s *Store, n int) {
	t.Helper()
	require.Len(t, s.index.expiries, n)
	require.NoError(t, s.damaged())
}

// requireTakes waits until the log takes n more sessions.
func requireTakes(t *testing.T, s *Store, from, n int) {
	t.Helper()
	for to := from + n; from < to; {
		saves := make([]hosts.Saving, min(batchCalls, to-from))
		for i := range saves {
			saves[i].Record = fullRecord(from + i)
		}
		require.Eventually(t, func() bool {
			left := 0
			for i, err := range (batched{s}).SaveMany(t.Context(), saves) {
				if err != nil {
					require.ErrorIs(t, err, hosts.ErrFull)
					saves[left] = saves[i]
					left++
				}
			}
			saves = saves[:left]
			return left == 0
		}, 20*time.Second, spareRetry/10)
		from = min(to, from+batchCalls)
	}
}

// Each of the sessions that fill a disk can be ended, with a restart in the
// middle; then the log takes sessions again.
func TestFullDiskEnds(t *testing.T) {
	dir, least := fullDisk(t)
	o := Options{Dir: filepath.Join(dir, "sessions"), Logger: quiet}
	n := fillWhole(t, o.Dir)
	require.Greater(t, n, least)
	fillDisk(t, dir) // what the log has left, others take
	ids := rand.New(rand.NewPCG(1, 1)).Perm(n)

	s := open(t, o)
	requireCount(t, s, n)
	endAll(t, s, ids[:n/10])
	require.NoError(t, s.Close())

	s = open(t, o)
	requireCount(t, s, n-n/10)
	endAll(t, s, ids[n/10:])
	requireCount(t, s, 0)
	requireTakes(t, s, n, 1000)
	require.NoError(t, s.Close())
	requireCount(t, open(t, o), 1000)
}

// So can all be swept, and the file that took the rest of the disk is still there.
func TestFullDiskSweeps(t *testing.T) {
	dir, least := fullDisk(t)
	o := Options{Dir: filepath.Join(dir, "sessions"), Logger: quiet}
	n := fillWhole(t, o.Dir)
	require.Greater(t, n, least)
	filler := fillDisk(t, dir)
	s := open(t, o)
	before := 0
	for _, upTo := range []int{n / 2, n} {
		swept, err := s.Sweep(t.Context(), core.Time(upTo), n)
		require.NoError(t, err)
		require.Equal(t, upTo-before, swept, "of %d", n)
		before = upTo
		requireCount(t, s, n-upTo)
		require.NoError(t, s.Close())
		s = open(t, o)
		requireCount(t, s, n-upTo)
	}
	requireTakes(t, s, n, 1000)
	require.FileExists(t, filler)
}

// Where a part has ended, its room is won back, and the others stay.
func TestFullDiskIsReused(t *testing.T) {
	dir, least := fullDisk(t)
	o := Options{Dir: filepath.Join(dir, "sessions"), Logger: quiet}
	n := fillWhole(t, o.Dir)
	require.Greater(t, n, least)
	fillDisk(t, dir)
	ids := rand.New(rand.NewPCG(2, 2)).Perm(n)
	s := open(t, o)
	endAll(t, s, ids[:n/3])
	requireTakes(t, s, n, n/8)
	requireCount(t, s, n-n/3+n/8)
	for _, i := range ids[n/3:][:1000] {
		r, err := s.Load(t.Context(), fullRecord(i).ID)
		require.NoError(t, err)
		require.Equal(t, fullRecord(i), r)
	}
}
