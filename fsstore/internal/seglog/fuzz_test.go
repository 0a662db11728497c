//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// replaySeeds are segments without their header.
func replaySeeds() [][]byte {
	var good []byte
	add := func(k kind, r core.Record) {
		good = appendRecord(good, k, &r, testSalt, firstByte+int64(len(good)), firstByte)
	}
	add(kindPut, formatSample())
	add(kindEnd, core.Record{ID: core.ID{9}})
	add(kindPut, sample(4, 20))
	add(kindMark, core.Record{Version: 1})
	add(kindSweep, core.Record{ExpiresAt: 4})
	torn := bytes.Clone(good)
	torn[200] ^= 1
	ended := bytes.Clone(good)
	for at := range 4 {
		ended[at] ^= 0xff // the first record, in place
	}
	return [][]byte{good, ended, good[:headSize], torn, bytes.Repeat([]byte{1}, 5000), nil}
}

// FuzzReplay: no bytes make the replay panic, what it takes from them it can
// read, and what it cuts off is gone. Each input is tried again with right
// checksums, as a forger would write it.
func FuzzReplay(f *testing.F) {
	for _, seed := range replaySeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		requireReplays(t, b)
		requireReplays(t, resum(b, testSalt))
	})
}

func requireReplays(t *testing.T, b []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), segmentName(1))
	require.NoError(t, os.WriteFile(path, append(make([]byte, firstByte), b...), 0o600))
	replayed := func() (all []core.Record) {
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		defer file.Close()
		g := &segment{header: header{number: 1, base: 1, salt: testSalt}, path: path, file: file, size: firstByte + int64(len(b))}
		s := &Store{index: newIndex(), log: quiet}
		s.index.segments[1], s.index.base = g, 1
		require.NoError(t, s.replay(s.index.read(g, nil), nil, true))
		require.LessOrEqual(t, g.end, g.size)
		s.dropUncertain()
		for e := range s.index.all() {
			r, err := s.load(e.id)
			if err != nil {
				require.ErrorIs(t, err, core.ErrCorrupt)
				require.NotEmpty(t, s.damage)
			} else {
				require.NoError(t, r.Check())
			}
			all = append(all, r)
		}
		return all
	}
	require.ElementsMatch(t, replayed(), replayed())
}

// What the replay takes, Open takes, and can write on.
func TestReplaySeeds(t *testing.T) {
	for _, b := range replaySeeds() {
		dir := t.TempDir()
		o := Options{Dir: dir, Segment: smallSegment, Fast: true, Logger: quiet}
		require.NoError(t, open(t, o).Close())
		h := header{number: 1, base: 1, salt: testSalt}.encode()
		text := append(h, make([]byte, secondCopy-len(h))...)
		text = append(append(text, h...), b...)
		require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1)), text, 0o600))
		s := open(t, o)
		found, err := s.Find(t.Context(), everybody, core.ID{}, 1000)
		require.NoError(t, err)
		next := sample(200, 10)
		require.NoError(t, s.Save(t.Context(), next, core.NoVersion))
		require.NoError(t, s.Delete(t.Context(), next.ID))
		require.NoError(t, s.Close())
		again := open(t, o)
		same, err := again.Find(t.Context(), everybody, core.ID{}, 1000)
		require.NoError(t, err)
		require.Equal(t, found, same)
		require.NoError(t, again.Close())
	}
}
