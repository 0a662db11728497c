//go:build darwin || freebsd || linux

package slots_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// rewritten is state n of a session whose every field follows from n.
func rewritten(id core.ID, size, n int) core.Record {
	return core.Record{
		ID: id, Version: core.Version(n), User: "ada", SeenAt: core.Time(n), ExpiresAt: core.Time(n) + core.Day,
		Sealed: bytes.Repeat([]byte{byte(n), byte(n >> 8)}, size/2+n%50),
	}
}

// rewriteTold is after how many saves a rewriter says so.
const rewriteTold = 200

// rewrite saves one session in place, again and again, until that fails, and
// tells now and then that it goes on, at the end why not: "rewrite dir slot size".
func rewrite(args []string) error {
	s, err := slots.Open(slots.Options{Dir: args[0], Fast: true})
	if err != nil {
		return err
	}
	defer s.Close()
	id, size := core.ID{0x77, byte(number(args[1]))}, number(args[2])
	r, err := s.Load(context.Background(), id)
	if err != nil {
		return err
	}
	for n := int(r.Version); ; n++ {
		if err := s.Save(context.Background(), rewritten(id, size, n+1), core.Version(n)); err != nil {
			return err
		}
		if n%rewriteTold == 0 {
			fmt.Println(n)
		}
	}
}

// Readers beside writers in other processes see whole states, never an older one
// after a newer one, never damage, and a search never misses the session.
func TestReadersBesideWritersInPlace(t *testing.T) {
	sizes := []int{300, 3000, 60_000}
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	var children []*child
	for i, size := range sizes {
		require.NoError(t, s.Save(t.Context(), rewritten(core.ID{0x77, byte(i)}, size+200, 1), core.NoVersion))
		children = append(children, start(t, "rewrite", dir, strconv.Itoa(i), strconv.Itoa(size)))
	}
	var ended atomic.Bool
	var readers sync.WaitGroup
	var loads atomic.Int64
	for i, size := range sizes {
		id := core.ID{0x77, byte(i)}
		readers.Go(func() {
			for last := 1; !ended.Load(); loads.Add(1) {
				r, err := s.Load(t.Context(), id)
				if err != nil || int(r.Version) < last {
					t.Errorf("after version %d: version %d, %v", last, r.Version, err)
					return
				}
				last = int(r.Version)
				if last > 1 && !bytes.Equal(r.Sealed, rewritten(id, size, last).Sealed) {
					t.Errorf("version %d is not whole", last)
					return
				}
			}
		})
	}
	readers.Go(func() {
		for !ended.Load() {
			found, err := s.Find(t.Context(), everybody, core.ID{0x77}, 10)
			if err != nil || len(found) != len(sizes)-1 { // behind the first
				t.Errorf("found %d of %d, %v", len(found), len(sizes)-1, err)
				return
			}
			if n, err := s.Sweep(t.Context(), core.Day, 10); n != 0 || err != nil {
				t.Errorf("swept %d live sessions, %v", n, err)
				return
			}
		}
	})
	told := soak.Rounds(t, 3, 10)
	for range told {
		for _, c := range children {
			c.line(t)
		}
	}
	ended.Store(true)
	readers.Wait()
	t.Logf("%d loads while each session was saved %d times", loads.Load(), told*rewriteTold)
}

// A session that ends while other processes save it in place stays ended: a
// writer that has the file open is told of a conflict.
func TestEndedBesideWritersInPlace(t *testing.T) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	for i := range 10 {
		id := core.ID{0x77, byte(i)}
		require.NoError(t, s.Save(t.Context(), rewritten(id, 500, 1), core.NoVersion))
		c := start(t, "rewrite", dir, strconv.Itoa(i), "300")
		c.line(t)
		require.NoError(t, s.Delete(t.Context(), id))
		said := c.rest()
		require.Equal(t, "error: "+core.ErrConflict.Error(), said[len(said)-1])
		_, err := s.Load(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound)
	}
	left, err := filepath.Glob(filepath.Join(dir, "77", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
