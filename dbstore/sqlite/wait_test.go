package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// lock is what another process has that is writing. Its end may be called twice.
func lock(t *testing.T, path string) (end func()) {
	t.Helper()
	c, err := sqlite3.Open(path)
	require.NoError(t, err)
	require.NoError(t, c.BusyTimeout(time.Minute))
	require.NoError(t, c.Exec("BEGIN IMMEDIATE"))
	end = sync.OnceFunc(func() { require.NoError(t, c.Exec("ROLLBACK")); require.NoError(t, c.Close()) })
	t.Cleanup(end)
	return end
}

// watched is a context that tells when somebody asks whether it has ended: so a
// test knows that a call waits, without waiting itself.
type watched struct {
	context.Context
	asked chan struct{}
}

func watch(ctx context.Context) watched { return watched{ctx, make(chan struct{}, 1)} }

func (w watched) tell() {
	select {
	case w.asked <- struct{}{}:
	default:
	}
}

func (w watched) Done() <-chan struct{} { w.tell(); return w.Context.Done() }
func (w watched) Err() error            { w.tell(); return w.Context.Err() }

// waits returns when it was asked so often that the call is at its wait.
func (w watched) waits() {
	for range 10 {
		<-w.asked
	}
}

func background(call func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return done
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	s, path := stored(t, sqlite.Options{})
	lock(t, path)
	for name, call := range map[string]func(context.Context) error{
		"save":   func(ctx context.Context) error { return s.Save(ctx, sessionTwo, sessionOne.Version) },
		"delete": func(ctx context.Context) error { return s.Delete(ctx, sessionOne.ID) },
		"sweep":  func(ctx context.Context) error { _, err := s.Sweep(ctx, 1, 10); return err },
		"batch": func(ctx context.Context) error {
			return s.SaveMany(ctx, []hosts.Saving{{Record: sessionTwo, Prev: sessionOne.Version}})[0]
		},
		"migrate": s.Migrate,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		w := watch(ctx)
		done := background(func() error { return call(w) })
		if name != "migrate" { // which has nothing to write
			w.waits()
			cancel()
			require.ErrorIs(t, <-done, context.Canceled, name)
		}
		cancel()
	}
	requireHas(t, s, sessionOne) // which waits for nobody
}

func TestWaitingHasAnEnd(t *testing.T) {
	s, path := stored(t, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
	end := lock(t, path)
	verbs := everyVerb(t, s)
	for _, verb := range []string{"save", "delete", "sweep"} {
		require.ErrorIs(t, verbs[verb], hosts.ErrBusy, verb)
		require.ErrorContains(t, verbs[verb], path, verb)
		require.ErrorContains(t, verbs[verb], "raise BusyTimeout", verb)
	}
	require.NoError(t, verbs["load"])
	require.NoError(t, verbs["find"])
	requireHas(t, s, sessionOne)
	end()
	require.NoError(t, s.Save(t.Context(), sessionTwo, sessionOne.Version))
}

// Of ten thousand saves that wait for another process half are given up: those
// are not applied, and the others are.
func TestTenThousandWait(t *testing.T) {
	const callers = 10_000
	s, path := stored(t, sqlite.Options{BusyTimeout: time.Minute, Saves: coalesce.Options{Direct: 1, Timeout: time.Minute}})
	before := runtime.NumGoroutine()
	end := lock(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answers := make([]<-chan error, callers)
	record := func(i int) core.Record {
		return core.Record{ID: core.ID{2, byte(i), byte(i >> 8)}, Version: 1, Sealed: []byte("waited")}
	}
	for i := range callers {
		w := watch(t.Context())
		if i%2 == 1 {
			w = watch(ctx)
		}
		answers[i] = background(func() error { return s.Save(w, record(i), core.NoVersion) })
		<-w.asked
	}
	cancel()
	unknown := 0
	for i := 1; i < callers; i += 2 {
		err := <-answers[i]
		require.ErrorIs(t, err, context.Canceled)
		if errors.Is(err, hosts.ErrUnknown) {
			unknown++
		}
	}
	require.LessOrEqual(t, unknown, 2*coalesce.DefaultBatchCalls, "of those that were in a batch")
	end()
	for i := 0; i < callers; i += 2 {
		require.NoError(t, <-answers[i])
		requireHas(t, s, record(i))
	}
	found, err := s.Find(t.Context(), hosts.Query{}, core.ID{}, 2*callers)
	require.NoError(t, err)
	require.LessOrEqual(t, len(found), callers/2+unknown)
	require.NoError(t, s.Close())
	requireNoGoroutine(t)
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// Close answers those that wait; who is at the disk is waited for.
func TestWaitingEndsWithClose(t *testing.T) {
	s, path := stored(t, sqlite.Options{BusyTimeout: time.Minute, Saves: coalesce.Options{Direct: 1, BatchCalls: 1}})
	end := lock(t, path)
	first := watch(t.Context())
	writing := background(func() error { return s.Save(first, sessionTwo, sessionOne.Version) })
	first.waits()
	const waiting = 10
	answers := make(chan error, waiting)
	for i := range waiting {
		w := watch(t.Context())
		go func() { answers <- s.Save(w, core.Record{ID: core.ID{3, byte(i)}, Version: 1}, core.NoVersion) }()
		<-w.asked
	}
	closed := background(s.Close)
	for range waiting - 1 { // one may be in a batch
		require.ErrorIs(t, <-answers, hosts.ErrClosed)
	}
	end()
	if err := <-answers; err != nil {
		require.ErrorIs(t, err, hosts.ErrClosed, "it was not in a batch yet")
	}
	require.NoError(t, <-writing)
	require.NoError(t, <-closed)
	require.NoError(t, s.Close())
	for start := time.Now(); time.Since(start) < 200*time.Millisecond; { // until the file is looked for
		for verb, err := range everyVerb(t, s) {
			require.ErrorIs(t, err, hosts.ErrClosed, verb)
		}
	}
	requireNoGoroutine(t)
	requireHas(t, open(t, path, sqlite.Options{}), sessionTwo)
}

// requireNoGoroutine finds none of this package, of its base or of database/sql.
func requireNoGoroutine(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { // one that has done its work may not have ended yet
		b := make([]byte, 1<<20)
		all := string(b[:runtime.Stack(b, true)])
		return !strings.Contains(all, "database/sql.") && !strings.Contains(all, "dbstore.") && !strings.Contains(all, "dbstore/sqlite.")
	}, 10*time.Second, time.Millisecond, "a goroutine is left")
}

// A failed Open leaves nothing open.
func TestFailedOpenLeavesNothing(t *testing.T) {
	for _, o := range []sqlite.Options{{NoMigrate: true}, {Table: "no table"}, {Loads: coalesce.Options{Workers: -1}}} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		_, err := sqlite.Open(t.Context(), path, o)
		require.Error(t, err)
		require.NoFileExists(t, path+"-wal", "the last connection has closed")
		requireNoGoroutine(t)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "sessions.db")
	_, err := sqlite.Open(ended, path, sqlite.Options{})
	require.ErrorIs(t, err, context.Canceled)
	requireNoGoroutine(t)
}
