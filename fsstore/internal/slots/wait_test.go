//go:build darwin || freebsd || linux

package slots_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// asked is a context that tells each time when somebody asks for its end: so a
// test knows that a call waits, without waiting itself.
type asked struct {
	context.Context
	times chan struct{}
}

func (a asked) Done() <-chan struct{} {
	select {
	case a.times <- struct{}{}:
	default:
	}
	return a.Context.Done()
}

func watched(t *testing.T) (asked, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return asked{ctx, make(chan struct{}, polls)}, cancel
}

// polls: at the gate of this process, for few enough open files, then for each
// try of the lock.
const polls = 6

func (a asked) waitUntilItPolls() {
	for range polls {
		<-a.times
	}
}

// held is a store with one session of which another process has a lock: that of
// its file, or of the subdirectory.
func held(t *testing.T, name string) (*slots.Store, core.Record, *child) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	r := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	c := start(t, "hold", filepath.Join(dir, "77", name))
	require.Equal(t, "held", c.line(t))
	return s, r, c
}

func saveInBackground(s *slots.Store, ctx context.Context, r core.Record, prev core.Version) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Save(ctx, r, prev) }()
	return done
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	for _, lock := range []string{sharedName, "."} {
		s, r, _ := held(t, lock)
		next, large := r, r
		next.Version, large.Version, large.Sealed = 2, 2, make([]byte, 10_000)
		calls := map[string]func(context.Context) error{
			"delete": func(ctx context.Context) error { return s.Delete(ctx, r.ID) },
			"sweep":  func(ctx context.Context) error { _, err := s.Sweep(ctx, 1, 10); return err },
			"grow":   func(ctx context.Context) error { return s.Save(ctx, large, r.Version) },
		}
		if lock == "." {
			calls["insert"] = func(ctx context.Context) error {
				return s.Save(ctx, core.Record{ID: core.ID{0x77, 2}, Version: 1}, core.NoVersion)
			}
			calls["find"] = func(ctx context.Context) error {
				_, err := s.Find(ctx, hosts.Query{}, core.ID{0x77}, 10)
				return err
			}
		} else {
			calls["save"] = func(ctx context.Context) error { return s.Save(ctx, next, r.Version) }
		}
		for name, call := range calls {
			ctx, cancel := watched(t)
			done := make(chan error, 1)
			go func() { done <- call(ctx) }()
			if name == "sweep" { // passes the gates of the subdirectories before
				for range shared[0] {
					<-ctx.times
				}
			}
			ctx.waitUntilItPolls()
			cancel()
			err := <-done
			require.ErrorIs(t, err, context.Canceled, name)
			require.ErrorContains(t, err, "waiting for the process that has locked", name)
		}
		got, err := s.Load(t.Context(), r.ID) // which waits for nobody
		require.NoError(t, err)
		require.Equal(t, r, got)
		if lock == "." { // a save in place changes no name
			require.NoError(t, s.Save(t.Context(), next, r.Version))
		}
		require.NotContains(t, stacks(), "slots.(*Store)", "a goroutine of the store is left")
	}
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

func TestWaitingEndsWhenTheOtherProcessDies(t *testing.T) {
	s, r, other := held(t, sharedName)
	next := r
	next.Version = 2
	ctx, _ := watched(t)
	done := saveInBackground(s, ctx, next, r.Version)
	ctx.waitUntilItPolls()
	other.kill()
	require.NoError(t, <-done)
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, next, got)
}

// Bad bytes in both slots may be two saves that a read has met: only who has the
// lock knows. So a load of such a file waits, and ends with its context.
func TestLoadWaitsToTellDamageFromSaves(t *testing.T) {
	s, r, other := held(t, sharedName)
	path := other.cmd.Args[1]
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, make([]byte, len(good)), 0o600))
	load := func(ctx context.Context) <-chan error {
		done := make(chan error, 1)
		go func() {
			got, err := s.Load(ctx, r.ID)
			if err == nil && got.Version != r.Version {
				err = fmt.Errorf("version %d", got.Version)
			}
			done <- err
		}()
		return done
	}
	ctx, cancel := watched(t)
	done := load(ctx)
	ctx.waitUntilItPolls()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	ctx, _ = watched(t)
	done = load(ctx)
	ctx.waitUntilItPolls()
	require.NoError(t, os.WriteFile(path, good, 0o600))
	other.kill()
	require.NoError(t, <-done)
}

func TestWaitingEndsWithClose(t *testing.T) {
	s, r, _ := held(t, sharedName)
	first, _ := watched(t)
	polling := saveInBackground(s, first, r, 7)
	first.waitUntilItPolls()
	second, _ := watched(t)
	queued := saveInBackground(s, second, r, 7)
	<-second.times
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-polling, hosts.ErrClosed)
	require.ErrorIs(t, <-queued, hosts.ErrClosed)
	require.NoError(t, s.Close())
	_, err := s.Load(t.Context(), r.ID)
	require.ErrorIs(t, err, hosts.ErrClosed)
	require.ErrorIs(t, s.Save(t.Context(), r, 7), hosts.ErrClosed)
	require.ErrorIs(t, s.Delete(t.Context(), r.ID), hosts.ErrClosed)
}

func TestWaitingCallsAreBounded(t *testing.T) {
	s, r, _ := held(t, sharedName)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const maxCalls = 4096 // as the package documentation says
	var waiting []<-chan error
	for range maxCalls {
		a := asked{ctx, make(chan struct{}, polls)}
		waiting = append(waiting, saveInBackground(s, a, r, 7))
		<-a.times
	}
	over := asked{ctx, make(chan struct{}, polls)}
	var err error
	select {
	case err = <-saveInBackground(s, over, r, 7):
	case <-over.times:
		t.Fatal("one call more than the limit waits")
	}
	require.ErrorIs(t, err, hosts.ErrBusy)
	require.ErrorContains(t, err, "4096")
	cancel()
	for _, done := range waiting {
		require.ErrorIs(t, <-done, context.Canceled)
	}
	_, err = s.Load(t.Context(), r.ID)
	require.NoError(t, err)
}

// The lock that a call waits for may belong to a directory that is removed
// meanwhile: then it must not write there.
func TestSaveFollowsTheDirectoryThatItWaitedFor(t *testing.T) {
	s, r, other := held(t, ".")
	dir := other.cmd.Args[1]
	next := r
	next.Version = 2
	ctx, _ := watched(t)
	done := saveInBackground(s, ctx, next, core.NoVersion)
	ctx.waitUntilItPolls()
	require.NoError(t, os.Rename(dir, filepath.Join(filepath.Dir(dir), "aside")))
	other.kill()
	require.NoError(t, <-done) // into a new directory
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, next, got)
}

// A save that waits for the lock of a file which loses its name meanwhile must
// not write there: nobody would see it, or see it come back.
func TestSaveFollowsTheNameThatItWaitedFor(t *testing.T) {
	for name, step := range map[string]struct {
		move func(path string) error
		want error
	}{
		"deleted":       {os.Remove, core.ErrConflict},
		"moved":         {func(path string) error { return os.Rename(path, path+".old") }, core.ErrConflict},
		"linked, ended": {func(path string) error { return errors.Join(os.Link(path, path+".old"), os.Remove(path)) }, core.ErrConflict},
		"replaced":      {replaceByCopy, nil},
		"folder moved":  {func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") }, core.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			s, r, other := held(t, sharedName)
			path := other.cmd.Args[1]
			was, err := os.Open(path)
			require.NoError(t, err)
			defer was.Close()
			before, err := io.ReadAll(was)
			require.NoError(t, err)
			next := r
			next.Version = 2
			ctx, _ := watched(t)
			done := saveInBackground(s, ctx, next, r.Version)
			ctx.waitUntilItPolls()
			require.NoError(t, step.move(path))
			other.kill()
			require.ErrorIs(t, <-done, step.want)
			got, err := s.Load(t.Context(), r.ID)
			if step.want == nil {
				require.NoError(t, err)
				require.Equal(t, next, got)
			} else {
				require.ErrorIs(t, err, core.ErrNotFound)
			}
			_, err = was.Seek(0, io.SeekStart)
			require.NoError(t, err)
			after, err := io.ReadAll(was)
			require.NoError(t, err)
			require.True(t, bytes.Equal(before, after), "the file that was waited for was written")
		})
	}
}

func replaceByCopy(path string) error {
	b, err := os.ReadFile(path)
	return errors.Join(err, os.WriteFile(path+".copy", b, 0o600), os.Rename(path+".copy", path))
}

// endsAfter is a context that ends when it has been asked n times.
type endsAfter struct {
	context.Context
	n *int
}

func (c endsAfter) Err() error {
	if *c.n--; *c.n < 0 {
		return context.Canceled
	}
	return nil
}

// Whenever the context ends, a save that returns its error has changed nothing.
func TestCancelledAtAnyMomentChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	one := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	two := core.Record{ID: shared, Version: 2, Sealed: []byte("two")}
	large := core.Record{ID: shared, Version: 3, Sealed: make([]byte, 10_000)}
	was := core.Record{} // not there
	for _, next := range []core.Record{one, two, large} {
		moments := 0
		for {
			left := moments
			err := s.Save(endsAfter{t.Context(), &left}, next, was.Version)
			if err == nil {
				break
			}
			moments++
			require.ErrorIs(t, err, context.Canceled)
			got, err := s.Load(t.Context(), shared)
			if was.Version == core.NoVersion {
				require.ErrorIs(t, err, core.ErrNotFound)
			} else {
				require.NoError(t, err)
				require.Equal(t, was, got)
			}
			require.NoFileExists(t, filepath.Join(dir, "77", "new"))
		}
		require.GreaterOrEqual(t, moments, 3, "at the start, under the lock, before the write")
		was = next
	}
	requireIntact(t, s, large)
}
