package sessionctl

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/rockstar-web/sessions/sessionctl/archive"
)

// peakFile names the file where a command leaves the most heap that it took.
const peakFile = "SESSIONCTL_TEST_PEAK_FILE"

// measured is main that writes, in bytes, what the heap took from the system.
func measured(path string) int {
	p := &Program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now}
	code := p.Run(context.Background(), os.Args[1:])
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if err := os.WriteFile(path, strconv.AppendUint(nil, m.HeapSys, 10), 0o600); err != nil {
		panic(err)
	}
	return code
}

// A hundred megabytes, or four hundred, pass through every verb a page at a time.
func TestManySessionsInLittleMemory(t *testing.T) {
	const size, most = 12_000, 64 << 20
	sessions := soak.Rounds(t, 6_000, 33_000)
	dir := t.TempDir()
	file := filepath.Join(dir, "many.rwsexp")
	require.NoError(t, newFile(file, manySessions(sessions, size)))
	store := manyStore(dir)
	for _, c := range []struct {
		args  string
		lines int
		out   string
	}{
		{"import --revive --json " + file, 1, fmt.Sprintf(`"saved":%d,`, sessions)},
		{"import --json " + file, 1, fmt.Sprintf(`"there":%d,`, sessions)},
		{"list --json", sessions, fmt.Sprintf(`"size":%d`, size)},
		{"export --json " + filepath.Join(dir, "again"), 1, fmt.Sprintf(`{"exported":%d}`, sessions)},
		{"end-all --all-tenants", 1, fmt.Sprintf("ended %d sessions", sessions)},
	} {
		verb, _, _ := strings.Cut(c.args, " ")
		peak := filepath.Join(dir, "peak")
		start := time.Now()
		code, stdout, stderr := call{args: strings.Fields(c.args), env: []string{"SESSION_STORE=" + store, peakFile + "=" + peak}}.run(t)
		require.Zero(t, code, stderr)
		require.Equal(t, c.lines, strings.Count(stdout, "\n"))
		require.Contains(t, stdout, c.out)
		text, err := os.ReadFile(peak)
		require.NoError(t, err)
		bytes, err := strconv.Atoi(string(text))
		require.NoError(t, err)
		t.Logf("%s: %d MiB of heap, %v", verb, bytes>>20, time.Since(start).Round(time.Millisecond))
		require.Less(t, bytes, most, verb)
	}
}

func manySessions(n, size int) func(io.Writer) error {
	return func(dst io.Writer) error {
		now := core.Time(time.Now().UnixMilli())
		w, err := archive.NewWriter(dst, now)
		if err != nil {
			return err
		}
		sealed := make([]byte, size)
		rand.Read(sealed)
		for i := range n {
			r := core.Record{Version: core.Version(i) + 1, User: "u" + strconv.Itoa(i%1000), CreatedAt: now, SeenAt: now, ExpiresAt: now + core.Day, Sealed: sealed}
			binary.BigEndian.PutUint32(r.ID[:], uint32(i)<<12|1) // in order
			if err := w.Add(&r); err != nil {
				return err
			}
		}
		return w.Close()
	}
}

func manyStore(dir string) string { return "file:" + filepath.Join(dir, "sessions") }
