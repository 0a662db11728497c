//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func sample(n byte, sealed int) core.Record {
	return core.Record{
		ID: core.ID{n, 1}, Version: core.Version(n), Tenant: "acme", User: "ada",
		CreatedAt: 1, SeenAt: 2, ExpiresAt: 3, Sealed: bytes.Repeat([]byte{n}, sealed),
	}
}

// copyLog is a copy of a directory, as the disk has it at this moment.
func copyLog(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // compacted just now: what voids it is in the last file, which comes later
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, e.Name()), b, 0o600))
	}
	return to
}

// lastWrite is a log of which the last write, of a replacement, a deletion and
// an insert, lies between two offsets, and was not acknowledged yet: a copy that
// was made before Close.
func lastWrite(t testing.TB) (dir string, from, to int64) {
	t.Helper()
	o := Options{Dir: t.TempDir(), Segment: smallSegment}
	s := open(t, o)
	for n := byte(1); n <= 3; n++ {
		require.NoError(t, s.Save(t.Context(), sample(n, 100), core.NoVersion))
	}
	from = s.active.end
	second := sample(2, 90)
	second.Version = 20
	ops := []op{
		{do: put, record: second, prev: 2},
		{do: end, record: core.Record{ID: core.ID{3, 1}}},
		{do: put, record: sample(4, 50)},
	}
	require.NoError(t, s.done(ops))
	return copyLog(t, o.Dir), from, s.active.end
}

// stateOf tells which versions a log shows, and that it can be written.
func stateOf(t *testing.T, dir string) string {
	t.Helper()
	s := open(t, Options{Dir: dir, Segment: smallSegment, Logger: quiet})
	require.NoError(t, s.damaged())
	found, err := s.Find(t.Context(), everybody, core.ID{}, 100)
	require.NoError(t, err)
	text := ""
	for _, r := range found {
		text += fmt.Sprint(r.Version, " ")
		again, err := s.Load(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r, again)
	}
	// Where the rest was cut off, as long as the first record of it.
	require.NoError(t, s.Save(t.Context(), sample(9, 90), core.NoVersion))
	require.NoError(t, s.Close())
	again := open(t, Options{Dir: dir, Segment: smallSegment, Logger: quiet})
	require.NoError(t, again.damaged())
	n, err := again.Find(t.Context(), everybody, core.ID{}, 100)
	require.NoError(t, err)
	require.Equal(t, append(found, sample(9, 90)), n)
	require.NoError(t, again.Close())
	return text
}

// What a power failure leaves of the last write is as much of it as was whole,
// in its order, whether the rest is missing, zero or rubbish.
func TestTornTail(t *testing.T) {
	dir, from, to := lastWrite(t)
	path := filepath.Join(dir, segmentName(1))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	states := []string{"1 2 3 ", "1 20 3 ", "1 20 ", "1 20 4 "}
	lengths := []int64{0, headSize + 7 + 90, headSize, headSize + 7 + 50}
	require.Equal(t, to-from, padded(lengths[1])+padded(lengths[2])+padded(lengths[3]))
	step := soak.Rounds(t, 23, 1) // bytes; each place within a word comes
	for name, tear := range map[string]func(b []byte, at int64) []byte{
		"zeros":   func(b []byte, at int64) []byte { clear(b[at:]); return b },
		"cut":     func(b []byte, at int64) []byte { return b[:at] },
		"rubbish": func(b []byte, at int64) []byte { fill(b[at:to], 0xa5); return b },
		"hole":    func(b []byte, at int64) []byte { clear(b[at : at+1]); b[at] ^= 0x40; return b },
	} {
		t.Run(name, func(t *testing.T) {
			for at := from; at < to; at += int64(step) {
				torn := tear(bytes.Clone(whole), at)
				want, start := 0, from
				for want < 3 && bytes.HasPrefix(torn[min(start, int64(len(torn))):], whole[start:start+lengths[want+1]]) {
					want++
					start += padded(lengths[want])
				}
				if start > int64(len(torn)) {
					want-- // its padding is missing
				}
				copied := copyLog(t, dir)
				require.NoError(t, os.WriteFile(filepath.Join(copied, segmentName(1)), torn, 0o600))
				got := stateOf(t, copied)
				if got != states[want] {
					t.Fatalf("at byte %d of %d to %d: %q, want %q", at, from, to, got, states[want])
				}
			}
		})
	}
}

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
}
