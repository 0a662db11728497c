package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// A churning process has several writers, whose saves go together. Each goes
// through numbered steps: a session is inserted, replaced twice and deleted, and
// its ID is never used again.
const (
	churnWriters = 8
	churnStages  = 4
)

type churnStep struct{ process, writer, n int }

func (c churnStep) deletes() bool { return c.n%churnStages == churnStages-1 }

func (c churnStep) id() core.ID {
	life := c.n / churnStages
	return core.ID{byte(life), byte(c.writer), byte(c.process), byte(life >> 8), 1}
}

// record is the state that a step leaves. Some are large, to be caught half written.
func (c churnStep) record() core.Record {
	fill := bytes.Repeat([]byte{byte(c.n)}, 300+c.n%7*3000)
	return core.Record{ID: c.id(), Version: core.Version(c.n + 1), User: fmt.Sprint("user", c.writer), ExpiresAt: core.Time(c.n) * core.Hour, Sealed: fill}
}

func (c churnStep) do(s *sqlite.Store) error {
	switch {
	case c.deletes():
		return s.Delete(context.Background(), c.id())
	case c.n%churnStages == 0:
		return s.Save(context.Background(), c.record(), core.NoVersion)
	default:
		return s.Save(context.Background(), c.record(), core.Version(c.n)) // of the step before
	}
}

// left is nil when the store shows what the step leaves.
func (c churnStep) left(ctx context.Context, s hosts.Store) error {
	r, err := s.Load(ctx, c.id())
	if c.deletes() {
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("step %+v: %v, want it gone", c, err)
	}
	if want := c.record(); err != nil || r.Version != want.Version || !bytes.Equal(r.Sealed, want.Sealed) {
		return fmt.Errorf("step %+v: version %d, %v", c, r.Version, err)
	}
	return nil
}

// churn does steps until it is killed and tells those that were acknowledged:
// "churn path fast process step...", the first step of each writer.
func churn(args []string) error {
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{Fast: args[1] == "true"})
	if err != nil {
		return err
	}
	defer s.Close()
	failed := make(chan error)
	var mu sync.Mutex
	for writer, from := range args[3:] {
		go func() {
			for c := (churnStep{number(args[2]), writer, number(from)}); ; c.n++ {
				if err := c.do(s); err != nil {
					failed <- fmt.Errorf("step %+v: %w", c, err)
				}
				mu.Lock()
				fmt.Println(c.writer, c.n)
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

// churner is a process that churns, and what it had acknowledged.
type churner struct {
	*child
	process int
	acked   [churnWriters]int
}

func (c *churner) begin(t *testing.T, path string, fast bool) {
	args := []any{path, fast, c.process}
	for _, n := range c.acked {
		args = append(args, n+1) // does the unknown step again
	}
	c.child = start(t, "churn", args...)
}

func (c *churner) heard(t *testing.T, line string) {
	var writer, n int
	_, err := fmt.Sscan(line, &writer, &n)
	require.NoError(t, err, line)
	c.acked[writer] = n
}

// Processes are killed in the middle of their writing, at first two that write at
// once, then one after which nobody has the file open: the next one recovers it.
func TestAcknowledgedSavesSurviveKill(t *testing.T) {
	kills := soak.Rounds(t, 10, 200)
	path := filepath.Join(t.TempDir(), "sessions.db")
	var churners [2]*churner
	for p := range churners {
		churners[p] = &churner{process: p}
		for w := range churners[p].acked {
			churners[p].acked[w] = -1
		}
		churners[p].begin(t, path, false)
	}
	torn, steps := 0, 0
	for kill := range kills {
		c := churners[kill%2]
		if kill >= kills/2 {
			c = churners[0]
			churners[1].kill()
		}
		for range 10 + kill*7%31 {
			c.heard(t, c.line(t))
		}
		require.NoError(t, c.Process.Kill())
		for _, line := range c.rest() {
			c.heard(t, line)
		}
		_ = c.Wait()
		torn += checkChurn(t, path, c)
		c.begin(t, path, kill%4 > 1)
	}
	for _, c := range churners {
		c.kill()
		for _, n := range c.acked {
			steps += n + 1
		}
	}
	t.Logf("%d steps acknowledged; after %d kills, %d steps under way were found applied", steps, kills, torn)
	checkWhole(t, path)
}

// checkChurn holds the file to what a dead process had acknowledged. What each
// writer was at may be applied too: it returns for how many that is so.
func checkChurn(t *testing.T, path string, dead *churner) (torn int) {
	t.Helper()
	s := open(t, path, sqlite.Options{})
	for w, n := range dead.acked {
		next := churnStep{dead.process, w, n + 1}
		switch last := (churnStep{dead.process, w, n}); {
		case next.left(t.Context(), s) == nil:
			torn++
		case n < 0 || last.deletes(): // the next session is not there, nor is the last
			_, err := s.Load(t.Context(), next.id())
			require.ErrorIs(t, err, core.ErrNotFound)
		default:
			require.NoError(t, last.left(t.Context(), s))
		}
		for ended := churnStages - 1; ended <= n; ended += churnStages {
			require.NoError(t, churnStep{dead.process, w, ended}.left(t.Context(), s), "an ended session lives")
		}
	}
	require.NoError(t, s.Close())
	return torn
}

// checkWhole has SQLite check the file, and reads all of it.
func checkWhole(t *testing.T, path string) {
	t.Helper()
	s := open(t, path, sqlite.Options{})
	all, err := s.Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
	require.NoError(t, err)
	for _, r := range all {
		require.Equal(t, bytes.Repeat(r.Sealed[:1], len(r.Sealed)), r.Sealed)
	}
	require.NoError(t, s.Close())
	c, err := sqlite3.Open(path)
	require.NoError(t, err)
	defer c.Close()
	check, _, err := c.Prepare("PRAGMA integrity_check")
	require.NoError(t, err)
	defer check.Close()
	require.True(t, check.Step())
	require.Equal(t, "ok", check.ColumnText(0))
}
