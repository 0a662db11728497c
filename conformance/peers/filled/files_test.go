package filled

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/stores"
)

// A log is opened with so many times the sessions that the others are measured with.
const openedTimes = 5

func inFiles(b testing.TB, scheme string) lineup {
	dir := b.TempDir()
	l := lineup{empty: ours(opened(b, scheme+filepath.Join(dir, "empty"))), peer: fileEngine(filepath.Join(dir, "theirs"))}
	log := filepath.Join(dir, "filled")
	store, closer, err := stores.Open(b.Context(), scheme+log)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, closer.Close()) })
	l.filled = ours(store)
	if scheme == "file+shared:" { // a search reads all files
		l.empty.listers, l.filled.listers = 1, 1
	}
	if scheme == "file:" {
		l.after = func(s *side) {
			stored := fillOn(b, s)
			require.NoError(b, closer.Close())
			reopen(b, log, stored)
		}
	}
	return l
}

// fillOn stores more of the sessions that nobody has changed.
func fillOn(b testing.TB, s *side) int {
	more := newStock(openedTimes * s.size)
	more.stored = s.stored
	_, err := fill(b.Context(), "file, to be opened", more, s.engine)
	require.NoError(b, err)
	return more.stored
}

// reopen tells how long it takes to open the log, beside a read of its bytes.
func reopen(b testing.TB, log string, stored int) {
	size, read := readAll(b, log)
	start := time.Now()
	_, closer, err := stores.Open(context.Background(), "file:"+log)
	took := time.Since(start)
	require.NoError(b, err)
	require.NoError(b, closer.Close())
	tell("file", "note", fmt.Sprintf("A log of %s sessions opens in %.2f s; its %s MB are read in %.2f s.",
		grouped(float64(stored)), took.Seconds(), grouped(float64(size)/1e6), read.Seconds()))
}

func readAll(b testing.TB, dir string) (size int64, took time.Duration) {
	room := make([]byte, 1<<20)
	start := time.Now()
	require.NoError(b, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, room)
		size += n
		return err
	}))
	return size, time.Since(start)
}
