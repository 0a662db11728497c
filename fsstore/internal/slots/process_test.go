//go:build darwin || freebsd || linux

package slots_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

// Four processes count in one session: every step must be there, and no version
// may have been replaced twice.
func TestNoUpdateIsLostBetweenProcesses(t *testing.T) {
	const writers, steps = 4, 30
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	first := core.Record{ID: shared, Version: 1, Sealed: make([]byte, writers)}
	require.NoError(t, s.Save(t.Context(), first, core.NoVersion))

	var children []*child
	for me := range writers {
		children = append(children, start(t, "add", dir, strconv.Itoa(me), strconv.Itoa(steps)))
	}
	for _, c := range children {
		require.Equal(t, "ready", c.line(t))
	}
	for _, c := range children {
		require.NoError(t, c.stdin.Close())
	}
	next := map[core.Version]core.Version{}
	for _, c := range children {
		for _, line := range c.rest() {
			var prev, version core.Version
			_, err := fmt.Sscan(line, &prev, &version)
			require.NoError(t, err, line)
			require.NotContains(t, next, prev, "two saves replaced one version")
			next[prev] = version
		}
		require.NoError(t, c.cmd.Wait())
	}
	last := first.Version
	for range writers * steps {
		require.Contains(t, next, last)
		last = next[last]
	}
	r, err := s.Load(t.Context(), shared)
	require.NoError(t, err)
	require.Equal(t, last, r.Version)
	for me, count := range r.Sealed {
		require.Equal(t, steps, int(count), "of writer %d", me)
	}
}
