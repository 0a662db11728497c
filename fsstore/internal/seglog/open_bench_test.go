//go:build darwin || freebsd || linux

package seglog

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func BenchmarkOpen(b *testing.B) {
	if b.N > 1 {
		return
	}
	const sessions = 1_000_000
	o := Options{Dir: b.TempDir(), Fast: true}
	s := open(b, o)
	saves := make([]hosts.Saving, 0, batchCalls)
	for i := range sessions {
		var id core.ID
		binary.LittleEndian.PutUint64(id[:], uint64(i+1)*0x9e3779b97f4a7c15)
		saves = append(saves, hosts.Saving{Record: core.Record{ID: id, Version: 1, User: fmt.Sprint("user-", i), ExpiresAt: core.Time(i * 7919 % sessions), Sealed: make([]byte, sealedBytes)}})
		if len(saves) == cap(saves) || i == sessions-1 {
			for _, err := range (batched{s}).SaveMany(b.Context(), saves) {
				require.NoError(b, err)
			}
			saves = saves[:0]
		}
	}
	require.NoError(b, s.Close())
	for range 3 {
		began := time.Now()
		s = open(b, o)
		fmt.Println("open", time.Since(began))
		require.NoError(b, s.Close())
	}
}
