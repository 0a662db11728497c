//go:build darwin || freebsd || linux

package seglog

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// barelyLive is a log of several segments that is not worth compacting, with a
// session that ended and one that changed after they were in the first.
func barelyLive(t *testing.T) (*Store, *model) {
	s := open(t, Options{Dir: t.TempDir(), Segment: smallSegment, Fast: true, Logger: quiet})
	m := newModel(3)
	for n := byte(1); n < 60; n++ {
		m.save(t, s, n)
		if n == 20 {
			require.NoError(t, s.Delete(t.Context(), core.ID{2, 1}))
			delete(m.records, core.ID{2, 1})
			m.save(t, s, 3)
		}
	}
	require.Greater(t, s.active.number, uint32(4))
	require.Equal(t, uint32(1), s.index.base)
	return s, m
}

// save inserts a large session, or replaces it.
func (m *model) save(t *testing.T, s *Store, n byte) {
	r := m.record(core.ID{n, 1})
	r.Sealed = make([]byte, 900)
	require.NoError(t, s.Save(t.Context(), r, m.records[r.ID].Version))
	m.records[r.ID], m.known = r, append(m.known, r.ID)
}

// The compaction may be cut off after each of its steps, and the removal of a
// file may not survive: what lives, lives, and what has ended has ended.
func TestEachStepOfTheCompaction(t *testing.T) {
	s, m := barelyLive(t)
	requireCopy := func(step string, also ...string) {
		t.Helper()
		dir := copyLog(t, s.Path)
		for _, path := range also { // files whose removal was not on the disk yet
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o600))
		}
		copied := open(t, Options{Dir: dir, Segment: smallSegment, Logger: quiet})
		require.NoError(t, copied.damaged(), step)
		m.requireSame(t, copied)
		require.NoError(t, copied.Close())
		for _, path := range also {
			require.NoFileExists(t, filepath.Join(dir, filepath.Base(path)))
		}
	}
	all := copyLog(t, s.Path)
	for number := uint32(1); number <= 3; number++ {
		g := s.index.segments[number]
		require.NoError(t, s.copyLiving(g))
		requireCopy("copied")
		require.Zero(t, g.live)
		require.NoError(t, s.done([]op{{do: mark, base: number + 1}}))
		requireCopy("marked")
		require.NoError(t, s.retire(g))
		require.NoFileExists(t, g.path)
		requireCopy("removed")
		requireCopy("came back", filepath.Join(all, segmentName(1)))
	}
	m.requireSame(t, s)
}

// While sessions change and end, the files stay near what they hold.
func TestFilesStayNearWhatLives(t *testing.T) {
	o := Options{Dir: t.TempDir(), Segment: smallSegment, Fast: true, Logger: quiet}
	s := open(t, o)
	m := newModel(7)
	for range 20 {
		for range 100 {
			m.step(t, s)
		}
		var live int64
		for _, r := range m.records {
			live += padded(recordLength(&r))
		}
		most := cleanHaste*live + 4*smallSegment // the last one, the spare, and two that are being compacted
		require.Eventually(t, func() bool { return filesIn(t, o.Dir) <= most }, time.Minute, time.Millisecond)
	}
	m.requireSame(t, s)
	for id := range m.records {
		require.NoError(t, s.Delete(t.Context(), id))
	}
	require.Eventually(t, func() bool { return filesIn(t, o.Dir) <= 3*smallSegment }, time.Minute, time.Millisecond)
	require.Greater(t, s.active.number, uint32(30))
}

func filesIn(t *testing.T, dir string) (bytes int64) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else it was removed just now
			bytes += info.Size()
		}
	}
	return bytes
}

// Whoever reads a record that is being moved finds it in one place or the other:
// also when the file is closed, or used again, before it is read.
func TestLoadWhileSegmentsGo(t *testing.T) {
	s, m := barelyLive(t)
	type place struct {
		g  *segment
		at span32
	}
	located := map[core.ID]place{}
	for id := range m.records {
		g, at := s.locate(id)
		located[id] = place{g, at}
	}
	for s.index.base < located[core.ID{59, 1}].g.number+3 {
		require.NoError(t, s.cleanSegment(s.index.base, s.index.segments[s.index.base]))
	}
	for id, want := range m.records {
		_, err := located[id].g.read(id, located[id].at.span())
		require.Error(t, err)
		got, err := s.follow(id, located[id].g, located[id].at)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, s.Delete(t.Context(), core.ID{1, 1}))
	_, err := s.follow(core.ID{1, 1}, located[core.ID{1, 1}].g, located[core.ID{1, 1}].at)
	require.ErrorIs(t, err, core.ErrNotFound)
}

// Many callers who replace a few sessions do not outrun the compaction.
func TestCompactionKeepsUp(t *testing.T) {
	const sessions, saves, segment = 500, 20_000, 64 << 10
	o := Options{Dir: t.TempDir(), Segment: segment, Fast: true, Logger: quiet}
	s := open(t, o)
	var live int64
	for n := range sessions {
		r := core.Record{ID: core.ID{byte(n), byte(n >> 8), 1}, Version: 1, Sealed: make([]byte, 300)}
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		live += recordLength(&r)
	}
	var mu sync.Mutex
	var largest int64
	var all sync.WaitGroup
	for c := range 50 {
		all.Go(func() {
			mine := sessions / 50
			for n := range saves / 50 {
				i := c*mine + n%mine
				r := core.Record{ID: core.ID{byte(i), byte(i >> 8), 1}, Version: core.Version(2 + n/mine), Sealed: make([]byte, 300)}
				if err := s.Save(t.Context(), r, r.Version-1); err != nil {
					t.Error(err)
					return
				}
				if n%mine == 0 {
					mu.Lock()
					largest = max(largest, filesIn(t, o.Dir))
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d bytes live, the files had %d at most", live, largest)
	require.LessOrEqual(t, largest, cleanHaste*live+8*segment)
}

// Without haste the compaction takes its time.
func TestCompactionHasARate(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Segment: 1 << 20, Fast: true})
	for n := 0; s.active.number < 4; n++ {
		r := core.Record{ID: core.ID{byte(n), byte(n >> 8), 1}, Version: 1, Sealed: make([]byte, 10_000)}
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	}
	g := s.index.segments[3]
	size := g.live
	require.Greater(t, size, int64(900_000))
	began := time.Now()
	require.NoError(t, s.copyLiving(g))
	require.GreaterOrEqual(t, time.Since(began), time.Duration(size)*time.Second/cleanRate)
}

// waitForSpare returns when the spare that is taken first is ready.
func waitForSpare(s *Store, size int64) {
	p := s.spares
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ready[0] == nil {
		s.prepareLocked(size)
		p.changed.Wait()
	}
}

// emptied is the first segment of a log, which nothing points to any more, and
// the log's spare, taken: the one that is taken first, so that what is put in its
// place is used next.
func emptied(t *testing.T) (s *Store, m *model, g *segment, spare *taken) {
	s, m = barelyLive(t)
	g = s.index.segments[1]
	require.NoError(t, s.copyLiving(g))
	require.NoError(t, s.done([]op{{do: mark, base: 2}}))
	waitForSpare(s, smallSegment)
	spare, err := s.takeSpare(smallSegment, 0, func() bool { return false })
	require.NoError(t, err)
	require.Equal(t, spareNames[0], spare.name)
	return s, m, g, spare
}

// A spare that was taken has its name for a moment still: a compaction that ends
// just then must not put another file there.
func TestTakenSpareKeepsItsName(t *testing.T) {
	s, _, g, spare := emptied(t)
	require.NoError(t, s.retire(g))
	require.NoFileExists(t, g.path)
	now, err := os.Lstat(filepath.Join(s.Path, spare.name))
	require.NoError(t, err)
	require.True(t, os.SameFile(spare.info, now))
	spare.done()
	require.NoError(t, spare.file.Close())
}

// A file that is used again has the bytes of its former life behind the end.
// They are no records, and what is written there is found.
func TestRecycledSegment(t *testing.T) {
	s, m, g, spare := emptied(t)
	spare.done()
	require.NoError(t, spare.file.Close())
	require.NoError(t, s.retire(g))
	require.NoFileExists(t, g.path)
	for n := byte(60); !os.SameFile(s.active.info, g.info); n++ {
		require.Less(t, n, byte(200), "the file is used again")
		m.save(t, s, n)
	}
	dir := copyLog(t, s.Path) // as a killed process leaves it
	copied := open(t, Options{Dir: dir, Segment: smallSegment, Logger: quiet})
	require.NoError(t, copied.damaged())
	m.requireSame(t, copied)
	m.save(t, s, 250)
	m.requireSame(t, s)
}
