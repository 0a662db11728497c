//go:build darwin || freebsd || linux

package seglog

import (
	"context"
	"runtime"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// hold makes the store look as if a write took its time, until release.
func hold(s *Store) (release func()) {
	c := &s.committer
	for held := false; !held; runtime.Gosched() {
		c.mu.Lock()
		held = !c.working
		c.working = true
		c.mu.Unlock()
	}
	return func() { c.idle.Go(func() { s.work(nil) }) }
}

// awaitQueue returns when n requests wait for the write.
func awaitQueue(s *Store, n int) {
	for {
		s.committer.mu.Lock()
		waiting := len(s.committer.queue)
		s.committer.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}

func inBackground(call func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return done
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	one := sample(1, 10)
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	two := one
	two.Version = 2
	release := hold(s)
	for name, call := range map[string]func(context.Context) error{
		"delete": func(ctx context.Context) error { return s.Delete(ctx, one.ID) },
		"sweep":  func(ctx context.Context) error { _, err := s.Sweep(ctx, 100, 10); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := inBackground(func() error { return call(ctx) })
		awaitQueue(s, 1)
		cancel()
		err := <-done
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, hosts.ErrUnknown, name)
		awaitQueue(s, 0)
	}
	// A save that was handed over may be done after its caller has gone.
	ctx, cancel := context.WithCancel(t.Context())
	done := inBackground(func() error { return s.Save(ctx, two, one.Version) })
	awaitQueue(s, 1)
	cancel()
	err := <-done
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, hosts.ErrUnknown)
	got, err := s.Load(t.Context(), one.ID) // which waits for nobody
	require.NoError(t, err)
	require.Equal(t, one, got)
	release()
	require.NoError(t, s.Save(t.Context(), two, one.Version)) // again: settles it
}

// Saves and deletions that come while a write is under way are all in the next.
func TestOneSyncForAllThatWait(t *testing.T) {
	const n = 50
	s := open(t, Options{Dir: t.TempDir()})
	for i := range byte(n) {
		require.NoError(t, s.Save(t.Context(), sample(i+1, 10), core.NoVersion))
	}
	release := hold(s)
	var waiting []<-chan error
	for i := range byte(n) {
		waiting = append(waiting, inBackground(func() error { return s.Delete(t.Context(), core.ID{i + 1, 1}) }))
	}
	waiting = append(waiting, inBackground(func() error { return s.Save(t.Context(), sample(n+1, 10), core.NoVersion) }))
	awaitQueue(s, n+1)
	from := s.active.end
	release()
	for _, done := range waiting {
		require.NoError(t, <-done)
	}
	c := newScan(s.active, s.active.end)
	c.at = from
	records := 0
	for ; c.at < c.end; records++ {
		h, _, ok, err := c.record(c.at)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, from, h.durable, "of another write")
		c.at += padded(h.length)
	}
	require.Equal(t, n+1, records)
}

func TestWaitingCallsAreBounded(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	require.NoError(t, s.Save(t.Context(), sample(1, 10), core.NoVersion))
	release := hold(s)
	var waiting []<-chan error
	for range maxCalls {
		waiting = append(waiting, inBackground(func() error { return s.Delete(t.Context(), core.ID{2}) }))
	}
	awaitQueue(s, maxCalls)
	err := s.Delete(t.Context(), core.ID{2})
	require.ErrorIs(t, err, hosts.ErrBusy)
	require.ErrorContains(t, err, "16384")
	release()
	for _, done := range waiting {
		require.NoError(t, <-done)
	}
	_, err = s.Load(t.Context(), core.ID{1, 1})
	require.NoError(t, err)
}

func TestCloseWaitsForTheWrite(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir()})
	require.NoError(t, err)
	release := hold(s)
	writing := inBackground(func() error { return s.Save(t.Context(), sample(1, 10), core.NoVersion) })
	ending := inBackground(func() error { return s.Delete(t.Context(), core.ID{7}) })
	awaitQueue(s, 2)
	queued := inBackground(func() error { return s.Save(t.Context(), sample(1, 20), core.NoVersion) }) // behind the first
	closed := inBackground(s.Close)
	require.ErrorIs(t, <-queued, hosts.ErrClosed)
	select {
	case <-closed:
		t.Fatal("closed before the write ended")
	default:
	}
	release()
	require.NoError(t, <-writing)
	require.NoError(t, <-ending)
	require.NoError(t, <-closed)
	require.NoError(t, s.Close())

	_, load := s.Load(t.Context(), core.ID{1, 1})
	_, find := s.Find(t.Context(), everybody, core.ID{}, 1)
	_, sweep := s.Sweep(t.Context(), 1, 1)
	for _, err := range []error{load, find, sweep, s.Save(t.Context(), sample(1, 10), core.NoVersion), s.Delete(t.Context(), core.ID{1})} {
		require.ErrorIs(t, err, hosts.ErrClosed)
	}
	b := make([]byte, 1<<20)
	require.NotContains(t, string(b[:runtime.Stack(b, true)]), "seglog.(*Store)", "a goroutine of the store is left")
}
