//go:build darwin || freebsd || linux

package slots_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// A churning writer goes through numbered steps over a few sessions at a time:
// each is inserted, replaced and deleted in turn, and never used again. The first
// size outgrows its slots twice; then it is replaced in place.
const (
	churnSlots  = 5
	churnStages = 6 // insert, grow, replace, grow, replace, delete
)

var churnSizes = [churnStages]int{300, 40_000, 40_100, 200_000, 200_500, 0}

type churnStep struct{ writer, n int }

func (c churnStep) stage() int { return c.n / churnSlots % churnStages }

// id changes its first byte, so that all steps meet in a few subdirectories.
func (c churnStep) id() core.ID {
	life := c.n / churnSlots / churnStages
	return core.ID{byte(c.n % churnSlots), byte(c.writer), byte(life), byte(life >> 8), 1}
}

// record is the state that a step leaves; Sealed is large, to be caught half written.
func (c churnStep) record() core.Record {
	fill := bytes.Repeat([]byte{byte(c.n)}, churnSizes[c.stage()]+c.n%100)
	return core.Record{ID: c.id(), Version: core.Version(c.writer)<<32 | core.Version(c.n+1), User: "ada", Sealed: fill}
}

func (c churnStep) do(s *slots.Store) error {
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
func (c churnStep) left(s *slots.Store) error {
	r, err := s.Load(context.Background(), c.id())
	if c.stage() == churnStages-1 {
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("step %+v: %v, want it gone", c, err)
	}
	if want := c.record(); err != nil || r.Version != want.Version || !bytes.Equal(r.Sealed, want.Sealed) {
		return fmt.Errorf("step %+v: version %x, %w", c, r.Version, err)
	}
	return nil
}

// churn does steps from a number on until it is killed, telling each that was
// acknowledged: "churn dir writer step fast".
func churn(args []string) error {
	s, err := slots.Open(slots.Options{Dir: args[0], Fast: args[3] == "true"})
	if err != nil {
		return err
	}
	defer s.Close()
	for c := (churnStep{number(args[1]), number(args[2])}); ; c.n++ {
		if err := c.do(s); err != nil {
			return fmt.Errorf("step %+v: %w", c, err)
		}
		fmt.Println(c.n)
	}
}

// Three processes write in the same subdirectories and are killed, one after
// the other, in the middle of it. What a killed one had acknowledged is there.
func TestAcknowledgedSavesSurviveKill(t *testing.T) {
	for _, fast := range []bool{false, true} {
		t.Run(fmt.Sprintf("fast=%v", fast), func(t *testing.T) { testKill(t, fast) })
	}
}

func testKill(t *testing.T, fast bool) {
	const writers = 3
	kills := soak.Rounds(t, 6, 200)
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir, Fast: fast})
	steady := core.Record{ID: core.ID{0, 99}, Version: 1, Sealed: []byte("of nobody who is killed")}
	require.NoError(t, s.Save(t.Context(), steady, core.NoVersion))
	var children [writers]*child
	var acked [writers]int
	for w := range writers {
		children[w], acked[w] = startChurn(t, dir, w, 0, fast), -1
	}
	torn := 0
	for kill := range kills {
		w := kill % writers
		for range 2 + kill*7%11 {
			acked[w] = number(children[w].line(t))
		}
		require.NoError(t, children[w].cmd.Process.Kill())
		acked[w] = children[w].lastNumber(acked[w])
		torn += checkSteps(t, s, churnStep{w, acked[w]})
		children[w] = startChurn(t, dir, w, acked[w]+1, fast) // does the unknown step again
	}
	t.Logf("%d steps acknowledged, %d of %d kills fell between the disk and the word of it", acked[0]+acked[1]+acked[2]+writers, torn, kills)
	for _, c := range children {
		c.kill()
	}
	requireIntact(t, s, steady)
	open(t, slots.Options{Dir: dir, Fast: fast}) // clears away the probe of one that was killed while it opened the store
	checkWholeStore(t, s, dir)
}

func startChurn(t *testing.T, dir string, writer, step int, fast bool) *child {
	return start(t, "churn", dir, strconv.Itoa(writer), strconv.Itoa(step), strconv.FormatBool(fast))
}

// lastNumber waits for the end of a child that was killed, and returns the last
// number that it said; otherwise if it said no more.
func (c *child) lastNumber(otherwise int) int {
	for _, line := range c.rest() {
		otherwise = number(line)
	}
	_ = c.cmd.Wait()
	return otherwise
}

// checkSteps holds the store to the last acknowledged step of a dead writer and
// those before it. The step after it may be done too: returns 1 if it is.
func checkSteps(t *testing.T, s *slots.Store, last churnStep) int {
	t.Helper()
	for n := last.n; n > last.n-churnSlots+1 && n >= 0; n-- {
		require.NoError(t, churnStep{last.writer, n}.left(s))
	}
	next := churnStep{last.writer, last.n + 1}
	if next.left(s) == nil {
		return 1
	}
	before := churnStep{last.writer, next.n - churnSlots}
	if next.stage() == 0 { // a new session: not begun is not there
		_, err := s.Load(t.Context(), next.id())
		require.ErrorIs(t, err, core.ErrNotFound)
		return 0
	}
	require.NoError(t, before.left(s))
	return 0
}

// checkWholeStore reads everything, and finds that nothing was left lying about.
func checkWholeStore(t *testing.T, s *slots.Store, dir string) {
	t.Helper()
	all, err := s.Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	n, err := s.Sweep(t.Context(), 1, 1000) // of ExpiresAt zero: all
	require.NoError(t, err)
	require.Equal(t, len(all), n)
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.DirExists(t, filepath.Join(dir, "00"))
	_, err = os.Stat(filepath.Join(dir, "probe"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
