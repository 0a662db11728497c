//go:build darwin || freebsd || linux

package slots_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

// twoStates is a store with a session that was saved twice, and its file: the
// first state is in the first half, the second in the other.
func twoStates(t *testing.T, sealed int) (s *slots.Store, one, two core.Record, path string) {
	dir := t.TempDir()
	s = open(t, slots.Options{Dir: dir})
	one = core.Record{ID: shared, Version: 1, User: "ada", ExpiresAt: 1000, Sealed: bytes.Repeat([]byte("1"), sealed)}
	two = core.Record{ID: shared, Version: 2, User: "bob", ExpiresAt: 9000, Sealed: bytes.Repeat([]byte("2"), sealed)}
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	require.NoError(t, s.Save(t.Context(), two, one.Version))
	return s, one, two, filepath.Join(dir, "77", sharedName)
}

// damages of a slot that begins at from and ends with the file or half of it.
var damages = map[string]func(b []byte, from int) []byte{
	"first byte": func(b []byte, from int) []byte { b[from]++; return b },
	"header":     func(b []byte, from int) []byte { b[from+70]++; return b },
	"sealed":     func(b []byte, from int) []byte { b[from+len(b)/4]++; return b },
	"a sector":   func(b []byte, from int) []byte { clear(b[from : from+512]); return b },
	"all":        func(b []byte, from int) []byte { clear(b[from : from+len(b)/2]); return b },
}

func TestDamagedSlotLeavesTheStateBefore(t *testing.T) {
	for _, sealed := range []int{3000, 30_000} {
		s, one, two, path := twoStates(t, sealed)
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		for name, damage := range damages {
			first, second := damage(bytes.Clone(good), 0), damage(bytes.Clone(good), len(good)/2)
			require.NoError(t, os.WriteFile(path, first, 0o600), name)
			requireIntact(t, s, two)
			require.NoError(t, os.WriteFile(path, second, 0o600), name)
			requireIntact(t, s, one)
			// What is found and swept is what is loaded.
			found, err := s.Find(t.Context(), everybody, core.ID{}, 10)
			require.NoError(t, err)
			require.Equal(t, []core.Record{one}, found)
			n, err := s.Sweep(t.Context(), 1000, 10)
			require.NoError(t, err)
			require.Zero(t, n)
			// The next save repairs it.
			require.ErrorIs(t, s.Save(t.Context(), core.Record{ID: shared, Version: 3}, two.Version), core.ErrConflict)
			require.NoError(t, s.Save(t.Context(), two, one.Version))
			requireIntact(t, s, two)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, good, b[:len(good)], name)

			both := damage(damage(bytes.Clone(good), 0), len(good)/2)
			require.NoError(t, os.WriteFile(path, both, 0o600))
			_, err = s.Load(t.Context(), shared)
			require.ErrorIs(t, err, core.ErrCorrupt, name)
			require.ErrorContains(t, err, path)
			require.ErrorIs(t, s.Save(t.Context(), two, one.Version), core.ErrCorrupt)
			n, err = s.Sweep(t.Context(), 10_000, 10)
			require.Zero(t, n)
			require.ErrorIs(t, err, core.ErrCorrupt)
			found, err = s.Find(t.Context(), everybody, core.ID{}, 10)
			require.NoError(t, err)
			require.Empty(t, found)
		}
		require.NoError(t, s.Delete(t.Context(), shared))
		_, err = s.Load(t.Context(), shared)
		require.ErrorIs(t, err, core.ErrNotFound)
	}
}

func TestCutFileLeavesWhatIsWhole(t *testing.T) {
	for _, sealed := range []int{3000, 30_000} {
		s, one, two, path := twoStates(t, sealed)
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, cut := range []struct {
			size int
			want *core.Record
		}{
			{len(good) - 1, &two}, {len(good)/2 + sealed, &one}, {len(good)/2 + 1, &one},
			{len(good) / 2, &one}, {sealed + 200, &one}, {sealed, nil}, {50, nil}, {0, nil},
		} {
			require.NoError(t, os.WriteFile(path, good[:cut.size], 0o600))
			if cut.want != nil {
				requireIntact(t, s, *cut.want)
				next := core.Record{ID: shared, Version: 3, Sealed: []byte("three")}
				require.NoError(t, s.Save(t.Context(), next, cut.want.Version))
				requireIntact(t, s, next)
				continue
			}
			_, err := s.Load(t.Context(), shared)
			require.ErrorIs(t, err, core.ErrCorrupt, cut.size)
		}
	}
}

// A session that is swept is the one that the file holds, not one that a torn
// write would have made of it.
func TestSweepJudgesTheWholeState(t *testing.T) {
	s, _, two, path := twoStates(t, 3000) // one expires at 1000, two at 9000
	n, err := s.Sweep(t.Context(), 5000, 10)
	require.NoError(t, err)
	require.Zero(t, n)
	requireIntact(t, s, two)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[len(b)/2+2000]++ // two is torn, its header is whole
	require.NoError(t, os.WriteFile(path, b, 0o600))
	n, err = s.Sweep(t.Context(), 5000, 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
