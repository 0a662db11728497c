//go:build darwin || freebsd || linux

package slots_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

const (
	callers     = 64
	perCaller   = 16 // sessions, spread over the subdirectories
	benchRounds = 15
	sealedBytes = 300
)

// benchID spreads sessions over the subdirectories, as random IDs are.
func benchID(n int) core.ID {
	h := uint32(n) * 2654435761
	return core.ID{byte(h >> 24), byte(h >> 16), byte(n >> 8), byte(n), 1}
}

// saver is one caller, who replaces its sessions in turn.
type saver struct {
	store    *slots.Store
	sessions []core.Record
	n        int
}

func newSavers(b *testing.B, s *slots.Store) []*saver {
	all := make([]*saver, callers)
	for i := range all {
		all[i] = &saver{store: s}
		for n := range perCaller {
			r := core.Record{ID: benchID(i*perCaller + n), Version: 1, Sealed: make([]byte, sealedBytes)}
			require.NoError(b, s.Save(b.Context(), r, core.NoVersion))
			all[i].sessions = append(all[i].sessions, r)
		}
	}
	return all
}

func (c *saver) save(b *testing.B) error {
	r := &c.sessions[c.n%perCaller]
	c.n++
	prev := r.Version
	r.Version++
	return c.store.Save(b.Context(), *r, prev)
}

// rawDirs holds a file for each session in 256 directories, as an ordinary store
// of files would.
func rawDirs(b *testing.B) string {
	dir := b.TempDir()
	for n := range 256 {
		require.NoError(b, os.Mkdir(filepath.Join(dir, fmt.Sprintf("%02x", n)), 0o700))
	}
	for n := range callers * perCaller {
		require.NoError(b, os.WriteFile(rawPath(dir, n), make([]byte, rawBytes), 0o600))
	}
	return dir
}

const rawBytes = sealedBytes + 96

func rawPath(dir string, n int) string {
	id := benchID(n)
	return filepath.Join(dir, fmt.Sprintf("%02x", id[0]), id.String())
}

// rawSave is write, sync, rename, sync of the directory, or without the syncs.
func rawSave(path string, data []byte, sync bool) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if sync {
		err = errors.Join(err, f.Sync())
	}
	if err := errors.Join(err, f.Close(), os.Rename(f.Name(), path)); err != nil || !sync {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// together runs do of each caller n times, all callers at once.
func together(b *testing.B, n int, do func(caller, i int) error) {
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for c := range callers {
		wg.Go(func() {
			for i := 0; i < n && errs[c] == nil; i++ {
				errs[c] = do(c, i)
			}
		})
	}
	wg.Wait()
	require.NoError(b, errors.Join(errs...))
}

func benchRatio(b *testing.B, name string, fast bool, n int, target float64) {
	savers := newSavers(b, open(b, slots.Options{Dir: b.TempDir(), Fast: fast}))
	raw := rawDirs(b)
	data := make([]byte, rawBytes)
	var medians []time.Duration
	for b.Loop() {
		medians = ratio.Interleave(benchRounds,
			func() { together(b, n, func(c, _ int) error { return savers[c].save(b) }) },
			func() {
				together(b, n, func(c, i int) error { return rawSave(rawPath(raw, c*perCaller+i%perCaller), data, !fast) })
			})
	}
	saves := float64(callers * n)
	fmt.Printf("\n%s: store %.0f saves/s, raw %.0f saves/s\n", name, saves/medians[0].Seconds(), saves/medians[1].Seconds())
	ratio.Print(name, float64(medians[1])/float64(medians[0]), target, true)
}

// BenchmarkRatioSave compares saves of 64 callers with what replaces a file
// durably: write, sync, rename, sync of the directory.
func BenchmarkRatioSave(b *testing.B) { benchRatio(b, "slots-save-durable", false, 24, 3) }

// BenchmarkRatioSaveFast compares them without syncs with write and rename.
func BenchmarkRatioSaveFast(b *testing.B) { benchRatio(b, "slots-save-fast", true, 64, 6) }

// BenchmarkRatioLoad compares a load with os.ReadFile of the same file.
func BenchmarkRatioLoad(b *testing.B) {
	dir := b.TempDir()
	s := open(b, slots.Options{Dir: dir, Fast: true})
	newSavers(b, s)
	var medians []time.Duration
	for b.Loop() {
		medians = ratio.Interleave(benchRounds,
			func() {
				for n := range callers * perCaller {
					_, err := s.Load(b.Context(), benchID(n))
					require.NoError(b, err)
				}
			},
			func() {
				for n := range callers * perCaller {
					id := benchID(n)
					_, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%02x", id[0]), fmt.Sprintf("%x", id[:])))
					require.NoError(b, err)
				}
			})
	}
	ratio.Print("slots-load-of-readfile", float64(medians[0])/float64(medians[1]), 1.2, false)
}

// BenchmarkSweep passes over live sessions.
func BenchmarkSweep(b *testing.B) {
	s := open(b, slots.Options{Dir: b.TempDir(), Fast: true})
	newSavers(b, s)
	for b.Loop() {
		n, err := s.Sweep(b.Context(), -1, 1)
		require.NoError(b, err)
		require.Zero(b, n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/callers/perCaller, "ns/session")
}
