package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
)

// count adds one to its own place in a session, n times: "count path me n". It
// tells which version each save replaced, and by what.
func count(args []string) error {
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	me, n := number(args[1]), number(args[2])
	for done := 0; done < n; {
		r, err := s.Load(context.Background(), sessionOne.ID)
		if err != nil {
			return err
		}
		prev := r.Version
		r.Sealed[me]++
		r.Version = core.Version(me+1)<<32 | core.Version(done+1)
		switch err := s.Save(context.Background(), r, prev); {
		case err == nil:
			fmt.Println(uint64(prev), uint64(r.Version))
			done++
		case !errors.Is(err, core.ErrConflict):
			return err
		}
	}
	return nil
}

// Four processes count in one session: every step must be there, and no version
// may have been replaced twice.
func TestNoUpdateIsLostBetweenProcesses(t *testing.T) {
	const processes, steps = 4, 30
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, sqlite.Options{})
	first := sessionOne
	first.Sealed = make([]byte, processes)
	require.NoError(t, s.Save(t.Context(), first, core.NoVersion))
	var children []*child
	for me := range processes {
		children = append(children, start(t, "count", path, me, steps))
	}
	replacedBy := map[core.Version]core.Version{}
	for _, c := range children {
		for _, line := range c.rest() {
			var prev, next core.Version
			_, err := fmt.Sscan(line, &prev, &next)
			require.NoError(t, err, line)
			require.NotContains(t, replacedBy, prev, "two saves replaced one version")
			replacedBy[prev] = next
		}
		require.NoError(t, c.Wait())
	}
	last := first.Version
	for range processes * steps {
		require.Contains(t, replacedBy, last)
		last = replacedBy[last]
	}
	r, err := s.Load(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, last, r.Version)
	for me, n := range r.Sealed {
		require.Equal(t, steps, int(n), "of process %d", me)
	}
}

// Processes that find no file make it together.
func TestManyOpenANewFileAtOnce(t *testing.T) {
	const rounds, handles = 10, 8
	for range rounds {
		path := filepath.Join(t.TempDir(), "new", "sessions.db")
		opened := make(chan error)
		for i := range handles {
			go func() {
				s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
				if err == nil {
					r := core.Record{ID: core.ID{byte(i + 1)}, Version: 1}
					err = errors.Join(s.Save(t.Context(), r, core.NoVersion), s.Close())
				}
				opened <- err
			}()
		}
		for range handles {
			require.NoError(t, <-opened)
		}
		s := open(t, path, sqlite.Options{})
		for i := range handles {
			_, err := s.Load(t.Context(), core.ID{byte(i + 1)})
			require.NoError(t, err)
		}
	}
}
