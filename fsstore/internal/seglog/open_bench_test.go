//go:build darwin || freebsd || linux

package seglog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// BenchmarkRatioOpen opens a log of a million sessions, all of different users.
// The least that it could do is to read the files and sum up their bytes.
func BenchmarkRatioOpen(b *testing.B) {
	if b.N > 1 {
		return
	}
	const sessions = 1_000_000
	o := Options{Dir: b.TempDir(), Fast: true}
	s := open(b, o)
	saves := make([]hosts.Saving, 0, batchCalls)
	for i := range sessions {
		r := core.Record{Version: 1, User: fmt.Sprint("user-", i), ExpiresAt: core.Time(i * 7919 % sessions), Sealed: make([]byte, sealedBytes)}
		binary.LittleEndian.PutUint64(r.ID[:], uint64(i+1)*0x9e3779b97f4a7c15)
		saves = append(saves, hosts.Saving{Record: r})
		if len(saves) == cap(saves) || i == sessions-1 {
			for _, err := range (batched{s}).SaveMany(b.Context(), saves) {
				require.NoError(b, err)
			}
			saves = saves[:0]
		}
	}
	require.NoError(b, s.Close())
	times := ratio.Interleave(3, func() {
		s, err := Open(o)
		require.NoError(b, err)
		require.Len(b, s.index.expiries, sessions)
		require.NoError(b, s.Close())
	}, func() { readRaw(b, o.Dir) })
	fmt.Printf("fsstore-open: %v for %d sessions, reading the files takes %v\n", times[0].Round(time.Millisecond), sessions, times[1].Round(time.Millisecond))
	ratio.Print("fsstore-open-of-raw-read", times[1].Seconds()/times[0].Seconds(), 0.08, true)
}

// readRaw reads all segments and the checksum of all their bytes.
func readRaw(b *testing.B, dir string) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	require.NoError(b, err)
	window := make([]byte, scanWindow)
	for _, path := range paths {
		f, err := os.Open(path)
		require.NoError(b, err)
		for {
			n, err := f.Read(window)
			crc32.Checksum(window[:n], castagnoli)
			if n == 0 {
				require.ErrorContains(b, err, "EOF")
				break
			}
		}
		require.NoError(b, f.Close())
	}
}
