package sqlite_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// fullSize is the disk that is filled, in bytes: room for a database that is
// larger than the log, and for the reserve. `make soak` fills a larger one.
func fullSize(t *testing.T) int64 { return int64(soak.Rounds(t, 64, 512)) << 20 }

// filler makes sessions of 1000 sealed bytes, the i-th with an ID that i decides.
func filler(i int) core.Record {
	r := core.Record{Version: core.Version(i + 1), User: fmt.Sprintf("user-%d", i%5000), ExpiresAt: core.Time(i) * core.Second, Sealed: make([]byte, 1000)}
	binary.BigEndian.PutUint64(r.ID[:], uint64(i+1)*0x9e3779b97f4a7c15)
	from := rand.New(rand.NewPCG(uint64(i), 0))
	for at := range r.Sealed {
		r.Sealed[at] = byte(from.Uint32())
	}
	return r
}

// fillUp saves sessions until the disk is full, and returns how many there are.
func fillUp(t *testing.T, s *sqlite.Store) (n int) {
	t.Helper()
	for batch := 256; ; {
		saves := make([]hosts.Saving, batch)
		for i := range saves {
			saves[i].Record = filler(n + i)
		}
		for _, err := range s.SaveMany(t.Context(), saves) {
			if err == nil {
				n++
				continue
			}
			require.ErrorIs(t, err, hosts.ErrFull)
			if batch == 1 {
				return n
			}
			batch = 1
			break
		}
	}
}

// ends are as many as fill the log several times.
const ends = 1500

// endMany logs out so many, from all over the database, 64 at a time.
func endMany(t *testing.T, s *sqlite.Store, from, to int) {
	t.Helper()
	var all sync.WaitGroup
	failed := make(chan error, 64)
	for w := range 64 {
		all.Go(func() {
			for e := w; e < ends; e += 64 {
				i := from + e*(to-from)/ends
				if err := s.Delete(context.WithoutCancel(t.Context()), filler(i).ID); err != nil {
					failed <- fmt.Errorf("session %d of %d: %w", i, to, err)
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
}

// stuff takes what room is left on the disk.
func stuff(t *testing.T, dir string) string {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "stuff"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	require.NoError(t, file.Close())
	return file.Name()
}

// TestEverybodyCanBeEndedOnAFullDisk, also when other programs have taken the last
// byte, and after a restart.
func TestEverybodyCanBeEndedOnAFullDisk(t *testing.T) {
	_, dir := imageDisk(t, fullSize(t))
	path := filepath.Join(dir, "sessions.db")
	s := open(t, path, sqlite.Options{})
	n := fillUp(t, s)
	require.Greater(t, n, 8_000)
	stuff(t, dir)
	endMany(t, s, 0, n/2)
	require.NoError(t, s.Close())
	stuff(t, dir)

	s = open(t, path, sqlite.Options{})
	requireGone(t, s, filler(0).ID)
	requireHas(t, s, filler(n-1))
	endMany(t, s, n/2, n)
	gone, err := s.Sweep(t.Context(), core.Time(n)*core.Second, n)
	require.NoError(t, err)
	require.Equal(t, n-2*ends, gone)
	more := fillUp(t, s) // in the room that they left
	require.Greater(t, more, n*3/4)
	endMany(t, s, 0, more)
	require.NoError(t, s.Close())
}
