//go:build darwin || freebsd || linux

package slots_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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

// polls: once for the gate of this process, then for each try of the lock.
const polls = 4

func (a asked) waitUntilItPolls() {
	for range polls {
		<-a.times
	}
}

// held is a store with one session whose lock another process has.
func held(t *testing.T) (*slots.Store, core.Record, *child) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	r := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	c := start(t, "hold", filepath.Join(dir, "77"))
	require.Equal(t, "held", c.line(t))
	return s, r, c
}

func saveInBackground(s *slots.Store, ctx context.Context, r core.Record, prev core.Version) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Save(ctx, r, prev) }()
	return done
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	s, r, _ := held(t)
	next := r
	next.Version = 2
	calls := map[string]func(context.Context) error{
		"save":   func(ctx context.Context) error { return s.Save(ctx, next, r.Version) },
		"delete": func(ctx context.Context) error { return s.Delete(ctx, r.ID) },
		"sweep":  func(ctx context.Context) error { _, err := s.Sweep(ctx, 1, 10); return err },
		"find": func(ctx context.Context) error {
			_, err := s.Find(ctx, hosts.Query{}, core.ID{0x77}, 10)
			return err
		},
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
	require.NotContains(t, stacks(), "slots.(*Store)", "a goroutine of the store is left")
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

func TestWaitingEndsWhenTheOtherProcessDies(t *testing.T) {
	s, r, other := held(t)
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

func TestWaitingEndsWithClose(t *testing.T) {
	s, r, _ := held(t)
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
	s, r, _ := held(t)
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
	s, r, other := held(t)
	dir := other.cmd.Args[1]
	next := r
	next.Version = 2
	ctx, _ := watched(t)
	done := saveInBackground(s, ctx, next, core.NoVersion)
	ctx.waitUntilItPolls()
	require.NoError(t, os.Rename(dir, strings.TrimSuffix(dir, "77")+"aside"))
	other.kill()
	require.NoError(t, <-done) // into a new directory
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, next, got)
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
	r := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	next := r
	next.Version = 2
	moments := 0
	for {
		left := moments
		err := s.Save(endsAfter{t.Context(), &left}, next, r.Version)
		if err == nil {
			break
		}
		moments++
		require.ErrorIs(t, err, context.Canceled)
		got, err := s.Load(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r, got)
		require.NoFileExists(t, filepath.Join(dir, "77", "new"))
	}
	require.GreaterOrEqual(t, moments, 3, "at the start, under the lock, before the rename")
}
