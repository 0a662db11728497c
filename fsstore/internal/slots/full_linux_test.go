package slots_test

import (
	"encoding/binary"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// A disk takes more than this many files of two slots.
const (
	fullSessions = 90 // at least, in a MiB of disk
	fullCallers  = 64
)

func fullRecord(n int) core.Record {
	r := core.Record{Version: 1, ExpiresAt: core.Time(n), Sealed: make([]byte, 300)}
	binary.LittleEndian.PutUint64(r.ID[:], (uint64(n)+1)*0x9e3779b97f4a7c15)
	return r
}

// fillWhole saves sessions until the disk takes no more, and returns how many.
func fillWhole(t *testing.T, dir string, size int) (n int) {
	s := open(t, slots.Options{Dir: dir, Fast: true})
	for {
		err := s.Save(t.Context(), fullRecord(n), core.NoVersion)
		if err != nil {
			require.ErrorIs(t, err, hosts.ErrFull)
			break
		}
		n++
	}
	require.Greater(t, n, fullSessions*size)
	require.NoError(t, s.Close())
	return n
}

func requireCount(t *testing.T, s *slots.Store, n int) {
	t.Helper()
	found, err := s.Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, n+1)
	require.NoError(t, err)
	require.Len(t, found, n)
}

// endAll ends the sessions of some numbers, one by one, from many goroutines.
func endAll(t *testing.T, s *slots.Store, from, to int) {
	t.Helper()
	var all sync.WaitGroup
	for c := range fullCallers {
		all.Go(func() {
			for n := from + c; n < to; n += fullCallers {
				if err := s.Delete(t.Context(), fullRecord(n).ID); err != nil {
					t.Errorf("session %d: %v", n, err)
					return
				}
			}
		})
	}
	all.Wait()
	require.False(t, t.Failed())
}

// Each of the sessions that fill a disk can be ended or swept, with a restart in
// the middle, though others take what becomes free; then the store takes
// sessions again.
func TestFullDiskEnds(t *testing.T) {
	size := soak.Rounds(t, 30, 100) // MiB
	dir := imageDisk(t, filepath.Join(t.TempDir(), "disk"), int64(size)<<20)
	o := slots.Options{Dir: filepath.Join(dir, "sessions")}
	n := fillWhole(t, o.Dir, size)
	fillDisk(t, filepath.Join(dir, "filler"))

	s := open(t, o)
	endAll(t, s, 0, n/4)
	fillDisk(t, filepath.Join(dir, "filler2"))
	swept, err := s.Sweep(t.Context(), core.Time(n/2), n)
	require.NoError(t, err)
	require.Equal(t, n/2-n/4, swept)
	fillDisk(t, filepath.Join(dir, "filler3"))
	require.NoError(t, s.Close())

	s = open(t, o)
	requireCount(t, s, n-n/2)
	require.ErrorIs(t, s.Save(t.Context(), fullRecord(0), core.NoVersion), hosts.ErrFull)
	endAll(t, s, n/2, n)
	requireCount(t, s, 0)
	for i := range 100 {
		require.NoError(t, s.Save(t.Context(), fullRecord(i), core.NoVersion))
	}
	requireCount(t, s, 100)
}
