//go:build darwin || freebsd || linux

package slots_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

const benchSessions = 1024

func benchID(n uint32) core.ID { return core.ID{byte(n), byte(n >> 8), 1} }

// BenchmarkSave replaces sessions of 300 bytes. "raw" is what a save is made of
// at the least: write, sync, rename, sync of the directory; "fast" is without.
func BenchmarkSave(b *testing.B) {
	for name, fast := range map[string]bool{"durable": false, "fast": true} {
		b.Run(name, func(b *testing.B) { benchSave(b, fast) })
		b.Run(name+"-raw", func(b *testing.B) { benchSaveRaw(b, !fast) })
	}
}

func benchSave(b *testing.B, fast bool) {
	s := benchStore(b, fast)
	b.ResetTimer()
	var next atomic.Uint32
	b.RunParallel(func(pb *testing.PB) {
		mine := next.Add(1) // a first byte of its own: writers do not meet
		r := core.Record{ID: core.ID{byte(mine), 2}, Version: 1, Sealed: make([]byte, 300)}
		require.NoError(b, s.Save(b.Context(), r, core.NoVersion))
		for pb.Next() {
			prev := r.Version
			r.Version++
			require.NoError(b, s.Save(b.Context(), r, prev))
		}
	})
}

func benchSaveRaw(b *testing.B, sync bool) {
	dir := b.TempDir()
	var next atomic.Uint32
	b.RunParallel(func(pb *testing.PB) {
		mine := filepath.Join(dir, string(rune('a'+next.Add(1))))
		require.NoError(b, os.Mkdir(mine, 0o700))
		data := make([]byte, 380)
		for pb.Next() {
			require.NoError(b, rawSave(mine, data, sync))
		}
	})
}

func rawSave(dir string, data []byte, sync bool) error {
	f, err := os.OpenFile(filepath.Join(dir, "new"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if sync {
		err = errors.Join(err, f.Sync())
	}
	if err := errors.Join(err, f.Close(), os.Rename(f.Name(), filepath.Join(dir, "session"))); err != nil || !sync {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// BenchmarkLoad reads sessions of 300 bytes, beside os.ReadFile of such files.
func BenchmarkLoad(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		s := benchStore(b, true)
		b.ReportAllocs()
		for n := uint32(0); b.Loop(); n++ {
			_, err := s.Load(b.Context(), benchID(n%benchSessions))
			require.NoError(b, err)
		}
	})
	b.Run("raw", func(b *testing.B) {
		dir := b.TempDir()
		benchFill(b, dir)
		names, err := filepath.Glob(filepath.Join(dir, "*", "*"))
		require.NoError(b, err)
		require.Len(b, names, benchSessions)
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			_, err := os.ReadFile(names[n%len(names)])
			require.NoError(b, err)
		}
	})
}

// BenchmarkSweep passes over live sessions.
func BenchmarkSweep(b *testing.B) {
	s := benchStore(b, true)
	for b.Loop() {
		n, err := s.Sweep(b.Context(), -1, 1)
		require.NoError(b, err)
		require.Zero(b, n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSessions, "ns/session")
}

func benchStore(b *testing.B, fast bool) *slots.Store {
	dir := b.TempDir()
	benchFill(b, dir)
	return open(b, slots.Options{Dir: dir, Fast: fast})
}

func benchFill(b *testing.B, dir string) {
	s := open(b, slots.Options{Dir: dir, Fast: true})
	for n := range uint32(benchSessions) {
		r := core.Record{ID: benchID(n), Version: 1, Sealed: make([]byte, 300)}
		require.NoError(b, s.Save(b.Context(), r, core.NoVersion))
	}
}
