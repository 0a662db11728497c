//go:build darwin || freebsd || linux

package seglog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// fillUp makes a log behave as on a disk without room for anything.
func fillUp(s *Store) {
	release := hold(s)
	defer release()
	p := s.spares
	p.mu.Lock()
	defer p.mu.Unlock()
	for slices.Contains(p.used[:], true) {
		p.changed.Wait()
	}
	for i, g := range p.ready {
		if p.ready[i], p.used[i] = nil, true; g != nil {
			g.file.Close()
		}
	}
	p.err, p.again = place.Fail("write", s.Path, syscall.ENOSPC), time.Now().Add(time.Hour)
	s.active.size = s.active.end
}

// several is a log of many segments, in which each session was also replaced.
func several(t *testing.T) (s *Store, m *model) {
	s, m = open(t, Options{Dir: t.TempDir(), Segment: smallSegment, Logger: quiet}), newModel(3)
	for range 2 {
		for n := byte(1); n <= 60; n++ {
			m.save(t, s, n)
		}
	}
	require.Greater(t, s.active.number, uint32(3))
	fillUp(s)
	return s, m
}

// reopened is the log as a killed process leaves it.
func reopened(t *testing.T, dir string) *Store {
	s := open(t, Options{Dir: copyLog(t, dir), Segment: smallSegment, Logger: quiet})
	require.NoError(t, s.damaged())
	return s
}

// What is ended in place has ended, also after a crash, though older states of it
// are in the log; and the same ID may begin again.
func TestEndInPlace(t *testing.T) {
	s, m := several(t)
	some := m.known[5]
	require.ErrorIs(t, s.Save(t.Context(), m.record(core.ID{99}), core.NoVersion), hosts.ErrFull)
	for _, id := range m.known[5:25] {
		require.NoError(t, s.Delete(t.Context(), id))
		require.NoError(t, s.Delete(t.Context(), id), "again")
		delete(m.records, id)
	}
	m.requireSame(t, s)
	copied := reopened(t, s.Path)
	m.requireSame(t, copied)
	n, err := s.Sweep(t.Context(), 500, 1000)
	require.NoError(t, err)
	m.swept(t, s, 500, 1000, n)
	require.NotZero(t, n)
	m.requireSame(t, s)
	copied = reopened(t, s.Path)
	m.requireSame(t, copied)
	again := m.record(some)
	require.NoError(t, copied.Save(t.Context(), again, core.NoVersion))
	m.records[some] = again
	m.requireSame(t, copied)
	m.requireSame(t, reopened(t, copied.Path))
}

// Two calls that wait together end a session once, and a sweep counts it no more.
func TestEndInPlaceTogether(t *testing.T) {
	s, m := several(t)
	id := m.known[7]
	all := core.Record{ID: id}
	done := inOneWrite(s, []op{
		{do: put, record: m.record(core.ID{98})}, {do: end, record: all}, {do: expire, record: all, before: 1000},
		{do: sweep, before: 1000, limit: 1000},
	})
	require.ErrorIs(t, done[0].err, hosts.ErrFull)
	require.NoError(t, errors.Join(done[1].err, done[2].err, done[3].err))
	require.True(t, done[1].done)
	require.False(t, done[2].done)
	require.Len(t, done[3].swept, len(m.records)-1)
	clear(m.records)
	m.requireSame(t, s)
	m.requireSame(t, reopened(t, s.Path))
}

// Where it cannot be written, the session is as it was, and the others can end.
func TestFailedEndInPlace(t *testing.T) {
	s, m := several(t)
	id := m.known[0]
	g := s.segment(s.index.find(id).at.segment)
	writable := refuseWrites(t, g)
	before := len(m.records)
	for id := range m.records {
		err := s.Delete(t.Context(), id)
		if s.index.find(id) != nil {
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.ErrorContains(t, err, g.path)
			continue
		}
		require.NoError(t, err)
		delete(m.records, id)
	}
	require.NotEmpty(t, m.records)
	require.Less(t, len(m.records), before)
	m.requireSame(t, s)
	m.requireSame(t, reopened(t, s.Path))

	// As if only the taking back had worked.
	allowWrites(t, g, writable)
	at := s.index.find(id).at.span()
	sum, err := g.headSum(at)
	require.NoError(t, err)
	require.NoError(t, g.writeSums([]span{at}, []uint32{sum}, ^uint32(0)))
	m.requireSame(t, s) // nobody is shown what was not acknowledged
	require.NoError(t, g.writeSums([]span{at}, []uint32{sum}, 0))
	m.requireSame(t, reopened(t, s.Path))

	require.NoError(t, os.Rename(g.path, g.path+".moved"))
	require.ErrorIs(t, s.Delete(t.Context(), id), hosts.ErrUnavailable, "its file is gone")
	require.NoError(t, os.Rename(g.path+".moved", g.path))
	require.NoError(t, s.Delete(t.Context(), id))
	delete(m.records, id)
	m.requireSame(t, reopened(t, s.Path))
}

// Without room for a mark, the header of the last segment voids the first: after
// each step of it a crash finds the same sessions, whatever comes back.
func TestVoidWithoutRoom(t *testing.T) {
	s, m := several(t)
	all := copyLog(t, s.Path)
	release := sync.OnceFunc(hold(s)) // the test is the committer now
	t.Cleanup(release)
	number := s.index.newest // of the first segment in which a session lives
	for id := range m.records {
		number = min(number, s.index.find(id).at.segment)
	}
	first := s.segment(number)
	var ends []*op
	for id := range m.records {
		if s.index.find(id).at.segment == first.number {
			ends = append(ends, &op{do: end, record: core.Record{ID: id}})
			delete(m.records, id)
		}
	}
	require.NotEmpty(t, ends)
	require.Empty(t, s.endInPlace(ends))
	m.requireSame(t, reopened(t, s.Path))
	h := s.active.header
	h.base = first.number + 1
	for _, at := range []int64{0, secondCopy} { // a crash between the copies, and within one
		dir := copyLog(t, s.Path)
		path := filepath.Join(dir, segmentName(s.active.number))
		overwrite(t, path, at, h.encode()[:20])
		m.requireSame(t, reopened(t, dir))
		overwrite(t, path, at, h.encode())
		m.requireSame(t, reopened(t, dir))
	}
	require.NoError(t, s.rebase(first.number+1))
	m.requireSame(t, reopened(t, s.Path))
	release()
	came := copyLog(t, s.Path)
	b, err := os.ReadFile(filepath.Join(all, segmentName(first.number))) // as it was before anything ended
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(came, segmentName(first.number)), b, 0o600))
	m.requireSame(t, reopened(t, came))
}

// A segment says in its header that records were ended in place: an older program
// refuses it.
func TestEndInPlaceIsANewerFormat(t *testing.T) {
	s, m := several(t)
	g := s.segment(s.index.find(m.known[3]).at.segment)
	require.False(t, g.ends)
	require.NoError(t, s.Delete(t.Context(), m.known[3]))
	for _, at := range []int64{0, secondCopy} {
		b := make([]byte, headerSize)
		_, err := g.file.ReadAt(b, at)
		require.NoError(t, err)
		require.EqualValues(t, formatEnds, b[7], fmt.Sprint(at))
	}
}
