package slots_test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// When the power fails, a disk keeps what was synced and nothing else. The disk
// here lies in a file: a copy of that, made while it is mounted, is such a disk.
// Each step is the last before a failure of its own, because on ext4 every sync
// of names also saves the steps before it.
func TestPowerFailure(t *testing.T) {
	one := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	two := core.Record{ID: shared, Version: 2, Sealed: []byte("two")}
	three := core.Record{ID: shared, Version: 3, Sealed: bytes.Repeat([]byte("3"), 10_000)} // grows
	four := core.Record{ID: shared, Version: 4, Sealed: bytes.Repeat([]byte("4"), 10_000)}
	beside := core.Record{ID: core.ID{0x77, 2}, Version: 3, Sealed: []byte("beside")}
	disk := filepath.Join(t.TempDir(), "disk")
	dir := imageDisk(t, disk, 8<<20)
	path := filepath.Join("a", "b", "sessions")
	s := open(t, slots.Options{Dir: filepath.Join(dir, path)})
	after := func(t *testing.T) *slots.Store {
		return open(t, slots.Options{Dir: filepath.Join(mountCopy(t, disk), path)})
	}
	kept := func(r core.Record) { t.Helper(); requireIntact(t, after(t), r) }

	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	kept(one)
	require.NoError(t, s.Save(t.Context(), beside, core.NoVersion))
	kept(beside)
	for _, next := range []core.Record{two, three, four} {
		require.NoError(t, s.Save(t.Context(), next, next.Version-1))
		kept(next)
	}
	n, err := s.Sweep(t.Context(), 1, 1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = after(t).Load(t.Context(), four.ID)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.NoError(t, s.Delete(t.Context(), beside.ID))
	_, err = after(t).Load(t.Context(), beside.ID)
	require.ErrorIs(t, err, core.ErrNotFound)
}

// A fast save is lost, which shows that the copy is no more than what was synced;
// but what ends fast has ended, and what a durable save says is there is there,
// also when a fast one, or a process that was killed, has written it.
func TestPowerFailureOfFastSaves(t *testing.T) {
	one := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	two := core.Record{ID: shared, Version: 2, Sealed: []byte("two")}
	three := core.Record{ID: shared, Version: 3, Sealed: []byte("three")}
	disk := filepath.Join(t.TempDir(), "disk")
	dir := imageDisk(t, disk, 8<<20)
	s, fast := open(t, slots.Options{Dir: dir}), open(t, slots.Options{Dir: dir, Fast: true})
	after := func() *slots.Store { return open(t, slots.Options{Dir: mountCopy(t, disk)}) }

	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	require.NoError(t, fast.Save(t.Context(), two, one.Version))
	requireIntact(t, s, two)
	requireIntact(t, after(), one)
	require.NoError(t, s.Save(t.Context(), two, one.Version)) // the same again
	requireIntact(t, after(), two)
	require.NoError(t, fast.Save(t.Context(), three, two.Version))
	requireIntact(t, after(), two)
	require.NoError(t, fast.Delete(t.Context(), shared))
	_, err := after().Load(t.Context(), shared)
	require.ErrorIs(t, err, core.ErrNotFound)

	require.NoError(t, fast.Save(t.Context(), one, core.NoVersion))
	_, err = after().Load(t.Context(), shared)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.NoError(t, s.Save(t.Context(), two, one.Version))
	requireIntact(t, after(), two)
}

// Power failures in the middle of everything: three processes are stopped where
// they are, and the disk is copied as it is at that moment.
func TestPowerFailureAtAnyMoment(t *testing.T) {
	const writers = 3
	disk := filepath.Join(t.TempDir(), "disk")
	dir := imageDisk(t, disk, 48<<20)
	var acked [writers]int
	for w := range acked {
		acked[w] = -1
	}
	for failure := range soak.Rounds(t, 2, 20) {
		var children [writers]*child
		for w := range writers {
			children[w] = startChurn(t, dir, w, acked[w]+1, false)
		}
		for range 3 + failure*5%7 {
			for w := range writers {
				acked[w] = number(children[w].line(t))
			}
		}
		for _, c := range children {
			c.stop(t)
		}
		copied := mountCopy(t, disk)
		for w, c := range children {
			require.NoError(t, c.cmd.Process.Kill())
			acked[w] = c.lastNumber(acked[w])
		}
		s := open(t, slots.Options{Dir: copied})
		for w := range writers {
			checkSteps(t, s, churnStep{w, acked[w]})
		}
	}
}

// stop stops a process where it is, and returns when no part of it runs on.
func (c *child) stop(t *testing.T) {
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(c.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, status.Stopped())
}

// A disk that fails to write makes a save unknown. A second sync would not write
// what the first one could not; the same save again does.
func TestFailedSyncIsNotTakenForDone(t *testing.T) {
	small := smallDisk(t, "size=16m")
	disk := filepath.Join(small, "disk")
	dir := imageDisk(t, disk, 8<<20)
	s := open(t, slots.Options{Dir: dir})
	one := core.Record{ID: shared, Version: 1, Sealed: []byte("the first state")}
	two := core.Record{ID: shared, Version: 2, Sealed: []byte("the second state")}
	three := core.Record{ID: shared, Version: 3, Sealed: []byte("the third state")}
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))

	breakDisk := func() (repair func()) {
		filler := filepath.Join(small, "filler")
		require.NoError(t, os.Truncate(disk, 0))
		require.NoError(t, os.Truncate(disk, 8<<20)) // all of it must be allocated again
		fillDisk(t, filler)
		return func() { require.NoError(t, os.Remove(filler)) }
	}
	repair := breakDisk()
	err := s.Save(t.Context(), two, one.Version)
	require.ErrorIs(t, err, hosts.ErrUnknown)
	require.ErrorContains(t, err, "look at the disk")
	require.ErrorIs(t, s.Save(t.Context(), two, one.Version), hosts.ErrUnknown)
	err = s.Save(t.Context(), three, two.Version) // over what is not on the disk
	require.ErrorIs(t, err, hosts.ErrFull)
	require.NotErrorIs(t, err, hosts.ErrUnknown)
	requireIntact(t, s, two)
	repair()
	require.NoError(t, s.Save(t.Context(), two, one.Version))
	written, err := os.ReadFile(disk)
	require.NoError(t, err)
	require.Contains(t, string(written), "the second state")
	require.NoError(t, s.Save(t.Context(), three, two.Version))
	requireIntact(t, s, three)
}
