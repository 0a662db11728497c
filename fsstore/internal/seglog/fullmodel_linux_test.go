package seglog

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// TestModelOnAFullDisk does what TestModel does while a disk fills and others
// take and give back what is free: saves may be refused, and nothing else may.
func TestModelOnAFullDisk(t *testing.T) {
	for seed := range soak.Rounds[uint64](t, 2, 40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := smallDisk(t, "size=300k")
			m, o := newModel(seed), Options{Dir: filepath.Join(dir, "sessions"), Segment: smallSegment, Fast: seed%2 > 0, Logger: quiet}
			m.full = 0
			for round := range 8 {
				s, err := Open(o)
				require.NoError(t, err)
				m.requireSame(t, s)
				if round%2 == 1 {
					fillDisk(t, dir)
				}
				for range 150 {
					m.step(t, s)
				}
				m.requireSame(t, s)
				require.NoError(t, s.Close())
				if round%2 == 1 {
					require.NoError(t, os.Remove(filepath.Join(dir, "filler")))
				}
			}
			t.Logf("%d saves were refused", m.full)
			require.NotZero(t, m.full)
		})
	}
}

// The power fails while sessions are ended on a full disk, again and again: those
// that were acknowledged have ended, and the others live.
func TestPowerFailureOnAFullDisk(t *testing.T) {
	const ends, callers = 2000, churnWriters
	failures := soak.Rounds(t, 2, 5)
	disk, dir := imageDisk(t, t.TempDir(), 32<<20)
	dir = filepath.Join(dir, "sessions")
	n := fillWhole(t, dir)
	fillDisk(t, filepath.Dir(dir))
	from := 0
	for range failures {
		c := start(t, "ends", dir, strconv.Itoa(from))
		acked := map[int]bool{}
		for range ends {
			acked[number(c.line(t))] = true
		}
		require.NoError(t, c.cmd.Process.Kill())
		for _, line := range c.rest() {
			acked[number(line)] = true
		}
		c.kill()
		copied := open(t, Options{Dir: filepath.Join(mountCopy(t, disk), "sessions"), Logger: quiet})
		require.NoError(t, copied.damaged())
		asked := from + len(acked) + callers // those on the way may have ended
		for i := range n {
			lives := copied.index.find(fullRecord(i).ID) != nil
			require.False(t, lives && acked[i], "session %d was ended", i)
			require.False(t, !lives && i >= asked, "session %d was not", i)
		}
		require.NoError(t, copied.Close())
		from = asked - callers
		for from > 0 && !acked[from-1] {
			from--
		}
	}
}
