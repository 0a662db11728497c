//go:build darwin || freebsd || linux

package seglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/stretchr/testify/require"
)

// The ratios compare 64 callers at once, with records of 300 bytes.
const (
	callers     = 64
	sealedBytes = 300
	rounds      = 7
)

// calls is n calls that f makes.
type calls struct {
	n int
	f func()
}

// faster prints how many times as fast a call of ours is, and the times.
func faster(name string, target float64, ours, theirs calls) {
	t := ratio.Interleave(rounds, ours.f, theirs.f)
	mine, other := t[0].Seconds()/float64(ours.n), t[1].Seconds()/float64(theirs.n)
	fmt.Printf("%s: %.2f µs a call, the other %.2f µs\n", name, mine*1e6, other*1e6)
	ratio.Print(name, other/mine, target, true)
}

// together makes n calls of f, spread over the callers.
func together(n int, f func(caller int)) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				f(c)
			}
		})
	}
	all.Wait()
}

// rawFile is a session file replaced as a careful program does it.
func rawFile(dir string, data []byte) error {
	f, err := os.CreateTemp(dir, "new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close(), os.Rename(f.Name(), filepath.Join(dir, "session"))); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// rawLog is what any log can do at best: 64 records in each write and sync of a
// file that already has its bytes.
type rawLog struct {
	file *os.File
	at   int64
	data []byte
}

func newRawLog(b *testing.B) *rawLog {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	require.NoError(b, err)
	b.Cleanup(func() { f.Close() })
	_, err = f.Write(make([]byte, DefaultSegment))
	require.NoError(b, err)
	require.NoError(b, f.Sync())
	return &rawLog{file: f, data: make([]byte, callers*(headSize+sealedBytes))}
}

func (l *rawLog) write(b *testing.B, records int) {
	for range records / callers {
		if l.at+int64(len(l.data)) > DefaultSegment {
			l.at = 0
		}
		for i := range l.data {
			l.data[i]++
		}
		_, err := l.file.WriteAt(l.data, l.at)
		require.NoError(b, errors.Join(err, place.SyncData(l.file)))
		l.at += int64(len(l.data))
	}
}

// sessionsOf inserts one session for each caller.
func sessionsOf(b *testing.B, s *Store) *[callers]core.Record {
	var all [callers]core.Record
	for c := range all {
		all[c] = core.Record{ID: core.ID{byte(c * 4), 7}, Version: 1, User: "ada", Sealed: make([]byte, sealedBytes)}
		require.NoError(b, s.Save(b.Context(), all[c], core.NoVersion))
	}
	return &all
}

func BenchmarkRatioSave(b *testing.B) {
	if b.N > 1 {
		return
	}
	const fewer, more = 20 * callers, 200 * callers
	s := open(b, Options{Dir: b.TempDir()})
	all := sessionsOf(b, s)
	save := calls{more, func() {
		together(more, func(c int) {
			r := &all[c]
			prev := r.Version
			r.Version++
			if err := s.Save(b.Context(), *r, prev); err != nil {
				b.Error(err)
			}
		})
	}}
	var dirs [callers]string
	for c := range dirs {
		dirs[c] = b.TempDir()
	}
	data := make([]byte, headSize+sealedBytes)
	raw := newRawLog(b)
	faster("fsstore-save-of-raw-sync", 0.75, save, calls{more, func() { raw.write(b, more) }})
	faster("fsstore-save-of-file-rename", 10, save, calls{fewer, func() {
		together(fewer, func(c int) {
			if err := rawFile(dirs[c], data); err != nil {
				b.Error(err)
			}
		})
	}})
}

func BenchmarkRatioLoad(b *testing.B) {
	if b.N > 1 {
		return
	}
	const sessions, n = 4096, 50_000
	s := open(b, Options{Dir: b.TempDir(), Fast: true})
	dir := b.TempDir()
	var paths [sessions]string
	idOf := func(i int) core.ID { return core.ID{byte(i), byte(i >> 8), 1} }
	for i := range paths {
		r := core.Record{ID: idOf(i), Version: 1, User: "ada", Sealed: make([]byte, sealedBytes)}
		require.NoError(b, s.Save(b.Context(), r, core.NoVersion))
		paths[i] = filepath.Join(dir, fmt.Sprint(i))
		require.NoError(b, os.WriteFile(paths[i], make([]byte, headSize+sealedBytes), 0o600))
	}
	var next atomic.Uint32
	faster("fsstore-load-of-readfile", 5, calls{n, func() {
		together(n, func(int) {
			if _, err := s.Load(b.Context(), idOf(int(next.Add(1))%sessions)); err != nil {
				b.Error(err)
			}
		})
	}}, calls{n, func() {
		together(n, func(int) {
			if _, err := os.ReadFile(paths[int(next.Add(1))%sessions]); err != nil {
				b.Error(err)
			}
		})
	}})
}

// BenchmarkRatioIndex measures what the index keeps of each of a million
// sessions, all of different users.
func BenchmarkRatioIndex(b *testing.B) {
	if b.N > 1 {
		return
	}
	const sessions = 1_000_000
	before := liveHeap()
	x := newIndex()
	for i := range sessions {
		var id core.ID
		binary.LittleEndian.PutUint64(id[:], uint64(i)*0x9e3779b97f4a7c15)
		r := core.Record{ID: id, Version: 1, User: fmt.Sprint("user-", i), ExpiresAt: core.Time(i * 7919 % sessions)}
		x.put(&r, span32{1, uint32(i), 400})
	}
	ratio.Print("fsstore-index-bytes-per-session", float64(liveHeap()-before)/sessions, 120, false)
	runtime.KeepAlive(x)
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // the second one has swept what the first one found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
