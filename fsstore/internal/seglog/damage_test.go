//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// history is a log with many segments, as it was when it was closed.
type history struct {
	dir         string
	model       *model
	at          map[core.ID]span32 // where the last state of each living session lies
	first, last uint32             // segments
	end         int64              // of what was written in the last one
}

func makeHistory(t *testing.T) history {
	o := Options{Dir: t.TempDir(), Segment: smallSegment, Fast: true}
	s := open(t, o)
	m := newModel(11)
	for range 300 {
		m.step(t, s)
	}
	require.NoError(t, s.Close())
	h := history{dir: o.Dir, model: m, at: map[core.ID]span32{}, first: s.index.base, last: s.active.number, end: s.active.end}
	for id := range m.records {
		h.at[id] = s.index.find(id).at
	}
	return h
}

// requireHonest holds a damaged log to the one promise that is left: what it
// shows is the last state of a living session. It returns how many it shows.
func (h history) requireHonest(t *testing.T, s *Store, context string) (shown int) {
	t.Helper()
	for _, id := range h.model.known {
		got, err := s.Load(t.Context(), id)
		switch want, lives := h.model.records[id]; {
		case errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrCorrupt):
		case err != nil:
			t.Fatalf("%s: %v", context, err)
		case !lives:
			t.Fatalf("%s: session %s has ended and lives", context, id)
		case !same(got, want):
			t.Fatalf("%s: session %s is in an old state", context, id)
		default:
			shown++
		}
	}
	return shown
}

// openDamaged returns the store and what it told the log.
func openDamaged(t *testing.T, dir string) (*Store, *bytes.Buffer) {
	t.Helper()
	var told bytes.Buffer
	s, err := Open(Options{Dir: dir, Segment: smallSegment, Logger: slog.New(slog.NewTextHandler(&told, nil))})
	require.NoError(t, err)
	return s, &told
}

// One byte is another one, anywhere but in the last segment.
func TestDamagedByte(t *testing.T) {
	h := makeHistory(t)
	random := rand.New(rand.NewPCG(5, 5))
	reported, all := 0, 0
	for range soak.Rounds(t, 25, 60) {
		number := h.first + uint32(random.IntN(int(h.last-h.first)))
		dir := copyLog(t, h.dir)
		path := filepath.Join(dir, segmentName(number))
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		at := random.IntN(len(whole))
		b := bytes.Clone(whole)
		b[at] ^= byte(1 << random.IntN(8))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		context := fmt.Sprintf("byte %d of %s", at, segmentName(number))

		s, told := openDamaged(t, dir)
		shown := h.requireHonest(t, s, context)
		all++
		_, sweep := s.Sweep(t.Context(), -1, 1)
		if sweep == nil {
			require.Empty(t, told.String(), context)
			require.Equal(t, len(h.model.records), shown, context)
		} else {
			reported++
			require.GreaterOrEqual(t, shown, len(h.model.records)-1, "%s costs others than the one it is about", context)
			require.ErrorIs(t, sweep, core.ErrCorrupt)
			require.ErrorContains(t, sweep, path)
			require.Contains(t, told.String(), path)
		}
		for id, at := range h.at { // what lies behind is certain
			if at.segment > number {
				_, err := s.Load(t.Context(), id)
				require.NoError(t, err, context)
			}
		}
		require.NoError(t, s.Close())
	}
	t.Logf("%d of %d flipped bits were of records", reported, all)
	require.Greater(t, reported, all/4)
}

// What a byte can be, a whole file can be, too. The segment in the middle is
// damaged, and there is no doubt that it is.
func TestDamagedSegment(t *testing.T) {
	h := makeHistory(t)
	number := (h.first + h.last) / 2
	name := segmentName(number)
	for what, harm := range map[string]func(t *testing.T, path string){
		"missing":   func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"empty":     func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
		"halved":    func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, smallSegment/2)) },
		"no header": func(t *testing.T, path string) { overwrite(t, path, 0, make([]byte, firstByte)) },
		"zeros":     func(t *testing.T, path string) { overwrite(t, path, 5000, make([]byte, 4096)) },
		"rubbish":   func(t *testing.T, path string) { overwrite(t, path, 5000, bytes.Repeat([]byte{1, 2, 3, 0xff}, 1024)) },
		"one session's data": func(t *testing.T, path string) {
			for _, at := range h.at {
				if at.segment == number {
					overwrite(t, path, at.span().offset+int64(at.length)-1, []byte{0xff})
					return
				}
			}
			t.Fatal("no living session in the segment")
		},
		"another's": func(t *testing.T, path string) {
			b, err := os.ReadFile(filepath.Join(filepath.Dir(path), segmentName(number+1)))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, b, 0o600))
		},
		"another's records": func(t *testing.T, path string) {
			b, err := os.ReadFile(filepath.Join(filepath.Dir(path), segmentName(number+1)))
			require.NoError(t, err)
			overwrite(t, path, firstByte, b[firstByte:])
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := copyLog(t, h.dir)
			path := filepath.Join(dir, name)
			harm(t, path)
			s, told := openDamaged(t, dir)
			shown := h.requireHonest(t, s, what)
			require.Contains(t, told.String(), path)
			if what == "zeros" || what == "rubbish" {
				most := 0 // sessions whose last state lay there, in whole or in part
				for _, at := range h.at {
					if from := at.span().offset; at.segment == number && from < 5000+4096 && from+int64(at.length) > 5000 {
						most++
					}
				}
				require.Equal(t, len(h.model.records)-most, shown)
			}
			require.ErrorContains(t, s.damaged(), path)
			for id, at := range h.at {
				if at.segment > number {
					_, err := s.Load(t.Context(), id)
					require.NoError(t, err)
				}
			}
			h.requireLivesOn(t, s, name, what != "missing")
		})
	}
}

func overwrite(t *testing.T, path string, at int64, b []byte) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(b, at)
	require.NoError(t, errors.Join(err, f.Close()))
}

// requireLivesOn works with a damaged log until the compaction has been through
// it. The damaged file is set aside for the operator, and nobody speaks of it any
// more; what had ended has ended still. A session whose data cannot be read stays
// so wherever the compaction has put it, and is told of, until it is ended.
func (h history) requireLivesOn(t *testing.T, s *Store, name string, kept bool) {
	t.Helper()
	m := newModel(12)
	m.damaged = true
	found, err := s.Find(t.Context(), everybody, core.ID{}, 10_000)
	require.NoError(t, err)
	for _, r := range found {
		m.records[r.ID] = r
	}
	for _, id := range h.model.known {
		if _, err := s.Load(t.Context(), id); errors.Is(err, core.ErrCorrupt) {
			m.records[id] = h.model.records[id]
		}
	}
	m.known = slices.Clone(h.model.known)
	for s.damaged() != nil {
		m.step(t, s)
	}
	require.NoError(t, s.Close())
	if kept {
		require.FileExists(t, filepath.Join(s.Path, name+damagedSuffix))
	}
	require.NoFileExists(t, filepath.Join(s.Path, name))
	again, told := openDamaged(t, s.Path)
	unreadable := 0
	for _, id := range m.known {
		if _, err := again.Load(t.Context(), id); errors.Is(err, core.ErrCorrupt) {
			unreadable++
			require.Contains(t, told.String(), id.String())
			require.NoError(t, again.Delete(t.Context(), id))
			delete(m.records, id)
		}
	}
	if again.damaged() == nil {
		require.Zero(t, unreadable)
	}
	m.requireSame(t, again)
	require.NoError(t, again.Close())
}

// In the last segment, too, what was synced is told from what was not: a log that
// was closed ends with a mark.
func TestDamagedLastSegment(t *testing.T) {
	h := makeHistory(t)
	whole, err := os.ReadFile(filepath.Join(h.dir, segmentName(h.last)))
	require.NoError(t, err)
	end := int(h.end)
	reported, all, places := 0, 0, soak.Rounds(t, 20, 50)
	for at := firstByte; at < end-headSize; at += 1 + (end-firstByte)/places {
		all++
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		dir := copyLog(t, h.dir)
		path := filepath.Join(dir, segmentName(h.last))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		context := fmt.Sprintf("byte %d of %d", at, end)
		s, told := openDamaged(t, dir)
		shown := h.requireHonest(t, s, context)
		if s.damaged() != nil {
			reported++
			require.Contains(t, told.String(), path, context)
		} else {
			require.Equal(t, len(h.model.records), shown, context)
		}
		require.NoError(t, s.Close())
	}
	require.Greater(t, reported, all/2)
}

// The last segment may be damaged whole: then nothing is certain that lies before
// it, and a new one is begun.
func TestDamagedLastSegmentWhole(t *testing.T) {
	h := makeHistory(t)
	for what, harm := range map[string]func(path string){
		"empty":     func(path string) { require.NoError(t, os.Truncate(path, 0)) },
		"no header": func(path string) { overwrite(t, path, 0, make([]byte, firstByte)) },
	} {
		t.Run(what, func(t *testing.T) {
			dir := copyLog(t, h.dir)
			path := filepath.Join(dir, segmentName(h.last))
			harm(path)
			s, told := openDamaged(t, dir)
			require.Zero(t, h.requireHonest(t, s, what))
			require.Contains(t, told.String(), path)
			require.Contains(t, told.String(), "sessions are ended")
			require.Equal(t, h.last+1, s.active.number)
			next := sample(9, 100)
			require.NoError(t, s.Save(t.Context(), next, core.NoVersion))
			require.NoError(t, s.Close())
			again := open(t, Options{Dir: dir, Segment: smallSegment, Logger: quiet})
			requireHas(t, again, next)
			require.NoError(t, again.Close())
		})
	}
}

func requireHas(t *testing.T, s *Store, all ...core.Record) {
	t.Helper()
	found, err := s.Find(t.Context(), everybody, core.ID{}, 10_000)
	require.NoError(t, err)
	require.Len(t, found, len(all))
	for _, r := range all {
		got, err := s.Load(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
}
