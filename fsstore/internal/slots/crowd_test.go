//go:build darwin || freebsd || linux

package slots_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

const (
	crowdSize  = 400
	crowdFiles = 200 // that the process may open: 128 of saves, and a few
)

func crowdRecord(i int) core.Record {
	return core.Record{ID: core.ID{0x77, byte(i), byte(i >> 8), 1}, Version: 1}
}

// crowd saves many sessions, whose locks another process has, in a process that
// may open few files. It says "waiting" when each call waits: "crowd dir".
func crowd(args []string) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: crowdFiles, Max: crowdFiles}); err != nil {
		return err
	}
	s, err := slots.Open(slots.Options{Dir: args[0]})
	if err != nil {
		return err
	}
	defer s.Close()
	var all, waiting sync.WaitGroup
	errs := make([]error, crowdSize)
	waiting.Add(crowdSize)
	for i := range crowdSize {
		all.Go(func() {
			// At the gate, and then for few enough open files.
			ctx := &countdown{Context: context.Background(), reached: waiting.Done}
			ctx.left.Store(2)
			r := crowdRecord(i)
			r.Version = 2
			errs[i] = s.Save(ctx, r, 1)
		})
	}
	waiting.Wait()
	fmt.Println("waiting")
	all.Wait()
	return errors.Join(errs...)
}

// countdown is a context that tells when it was asked for its end often enough.
type countdown struct {
	context.Context
	left    atomic.Int32
	reached func()
}

func (c *countdown) Done() <-chan struct{} {
	if c.left.Add(-1) == 0 {
		c.reached()
	}
	return c.Context.Done()
}

func TestOpenFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir, Fast: true})
	var files []*os.File
	for i := range crowdSize {
		r := crowdRecord(i)
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		f, err := os.Open(filepath.Join(dir, "77", fmt.Sprintf("%x", r.ID[:])))
		require.NoError(t, err)
		defer f.Close()
		require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		files = append(files, f)
	}
	c := start(t, "crowd", dir)
	require.Equal(t, "waiting", c.line(t))
	for _, f := range files {
		require.NoError(t, f.Close())
	}
	require.Empty(t, c.rest())
	require.NoError(t, c.cmd.Wait())
}
