//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// A churning writer goes through numbered steps over a few sessions at a time:
// each is inserted, replaced and deleted in turn, and never used again.
const (
	churnWriters = 8
	churnSlots   = 5
	churnStages  = 4 // insert, replace, replace, delete
)

type churnStep struct{ writer, n int }

func (c churnStep) stage() int { return c.n / churnSlots % churnStages }

func (c churnStep) id() core.ID {
	life := c.n / churnSlots / churnStages
	return core.ID{byte(c.n % churnSlots), byte(c.writer), byte(life), byte(life >> 8), 1}
}

// record is the state that a step leaves. One in a hundred is larger than a segment.
func (c churnStep) record() core.Record {
	size := 100 + c.n*7%900
	if c.n%100 == 99 {
		size = smallSegment + 1000
	}
	return core.Record{
		ID: c.id(), Version: core.Version(c.writer)<<32 | core.Version(c.n+1), User: "ada",
		Sealed: bytes.Repeat([]byte{byte(c.n)}, size),
	}
}

func (c churnStep) do(s *Store) error {
	switch before := (churnStep{c.writer, c.n - churnSlots}); c.stage() {
	case 0:
		return s.Save(context.Background(), c.record(), core.NoVersion)
	case churnStages - 1:
		return s.Delete(context.Background(), c.id())
	default:
		return s.Save(context.Background(), c.record(), before.record().Version)
	}
}

// left is nil when the store shows what the step leaves.
func (c churnStep) left(s *Store) error {
	r, err := s.Load(context.Background(), c.id())
	if c.stage() == churnStages-1 {
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("step %+v: version %x, %v, want it gone", c, r.Version, err)
	}
	if want := c.record(); err != nil || !same(r, want) {
		return fmt.Errorf("step %+v: version %x, %w", c, r.Version, err)
	}
	return nil
}

// churn does steps until it is killed, telling each that was acknowledged:
// "churn dir fast step...", with a first step for each writer.
func churn(args []string) error {
	s, err := Open(Options{Dir: args[0], Fast: args[1] == "fast", Segment: smallSegment, Logger: quiet})
	if err != nil {
		return err
	}
	failed := make(chan error)
	var telling sync.Mutex
	for w := range churnWriters {
		go func() {
			for c := (churnStep{w, number(args[2+w])}); ; c.n++ {
				if err := c.do(s); err != nil {
					failed <- fmt.Errorf("step %+v: %w", c, err)
				}
				telling.Lock()
				fmt.Println(w, c.n)
				telling.Unlock()
			}
		}()
	}
	return <-failed
}

// churnAcked is the last step of each writer that was acknowledged.
type churnAcked [churnWriters]int

func (a *churnAcked) begin() {
	for w := range a {
		a[w] = -1
	}
}

func (a *churnAcked) note(t *testing.T, line string) {
	var w, n int
	_, err := fmt.Sscanf(line, "%d %d", &w, &n)
	require.NoError(t, err, line)
	a[w] = n
}

// runAndKill lets a process go on with the steps, and kills it after some.
func (a *churnAcked) runAndKill(t *testing.T, dir, how string, steps int) {
	args := []string{dir, how}
	for _, n := range a {
		args = append(args, strconv.Itoa(n+1)) // does the unknown step again
	}
	c := start(t, "churn", args...)
	for range steps {
		a.note(t, c.line(t))
	}
	require.NoError(t, c.cmd.Process.Kill())
	for _, line := range c.rest() {
		a.note(t, line)
	}
	c.kill()
}

// TestAcknowledgedSurviveKill kills a process in the middle of saves, deletions,
// compaction and new segments, again and again. What it had acknowledged is
// there, and nothing that it had ended.
func TestAcknowledgedSurviveKill(t *testing.T) {
	dir := t.TempDir()
	var acked churnAcked
	acked.begin()
	unknown := 0
	kills := soak.Rounds(t, 10, 200)
	for kill := range kills {
		acked.runAndKill(t, dir, []string{"durable", "fast"}[kill%2], 40+kill*37%200)
		unknown += checkChurn(t, dir, acked)
	}
	total := 0
	for _, n := range acked {
		total += n + 1
	}
	t.Logf("%d steps acknowledged; %d steps were done and not acknowledged before a kill", total, unknown)
	s := open(t, Options{Dir: dir, Segment: smallSegment, Logger: quiet})
	require.Greater(t, s.index.base, uint32(kills), "the oldest segment that was not compacted away")
}

// checkChurn opens what a killed process left and holds it to what that had
// acknowledged. It returns how many of the steps after those were done, too.
func checkChurn(t *testing.T, dir string, acked churnAcked) (unknown int) {
	t.Helper()
	s, err := Open(Options{Dir: dir, Segment: smallSegment, Logger: quiet})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.damaged())
	alive := map[core.ID]bool{}
	for w, last := range acked {
		for n := last; n > last-churnSlots+1 && n >= 0; n-- {
			c := churnStep{w, n}
			require.NoError(t, c.left(s))
			alive[c.id()] = c.stage() < churnStages-1
		}
		next := churnStep{w, last + 1}
		alive[next.id()] = true // or not
		if next.left(s) == nil {
			unknown++
		} else if next.stage() > 0 {
			require.NoError(t, churnStep{w, next.n - churnSlots}.left(s))
		}
	}
	found, err := s.Find(t.Context(), everybody, core.ID{}, 1000)
	require.NoError(t, err)
	for _, r := range found {
		require.True(t, alive[r.ID], "session %x has ended, and lives", r.ID)
	}
	return unknown
}
