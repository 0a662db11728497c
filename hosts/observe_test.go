package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// witness records the calls that it observes.
type witness struct {
	mu      sync.Mutex
	open    int
	calls   []string
	manager *hosts.Manager
	refuses error
}

type depthKey struct{}

func (w *witness) Begin(ctx context.Context, _ hosts.Call) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	depth, _ := ctx.Value(depthKey{}).(int)
	return context.WithValue(ctx, depthKey{}, depth+1)
}

func (w *witness) End(ctx context.Context, c hosts.Call, took time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
	note := fmt.Sprintf("%v at %d", c.Op, ctx.Value(depthKey{}))
	if c.Count > 1 {
		note += fmt.Sprintf(" of %d", c.Count)
	}
	if err != nil {
		note += " failed"
	}
	if took < 0 {
		note += " in no time"
	}
	w.calls = append(w.calls, note)
}

func (w *witness) AttachManager(m *hosts.Manager) error {
	w.manager = m
	return w.refuses
}

// heard returns the calls since the last time, all of which have ended.
func (w *witness) heard(t *testing.T) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Zero(t, w.open)
	calls := w.calls
	w.calls = nil
	return calls
}

func TestAnObserverHearsOfCommitsAndTheirCalls(t *testing.T) {
	w := &witness{}
	store := memory(t)
	m := open(t, store, hosts.Config{Observer: w, IdleTimeout: time.Hour})
	require.Same(t, m.Manager, w.manager)
	require.Same(t, store, m.Store(), "it is the one that the manager was made with")
	b := newBrowser()
	b.login(m, "alice")
	require.Equal(t, []string{"save at 2", "commit at 1"}, w.heard(t))
	s, err := b.session(m)
	require.NoError(t, err)
	require.Equal(t, []string{"load at 1"}, w.heard(t), "nothing was stored")
	m.clock.pass(30 * time.Minute)
	_, err = b.session(m)
	require.NoError(t, err)
	require.Equal(t, []string{"load at 1", "touch at 2", "commit at 1"}, w.heard(t))
	require.NoError(t, m.Destroy(t.Context(), s.ID))
	require.Equal(t, []string{"load at 1", "delete at 1"}, w.heard(t))
	_, err = b.session(m)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.Equal(t, []string{"load at 1 failed"}, w.heard(t))
	_, err = m.CleanupExpired(t.Context())
	require.NoError(t, err)
	_, _, err = m.Sessions(t.Context(), hosts.Query{AnyUser: true}, core.ID{}, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"sweep at 1", "find at 1"}, w.heard(t))
}

func TestAnObserverMayRefuseTheManager(t *testing.T) {
	no := errors.New("it has one already")
	_, err := hosts.New(memory(t), hosts.Config{Key: key, Observer: hosts.Observers(&witness{}, &witness{refuses: no})})
	require.ErrorIs(t, err, no)
	require.ErrorContains(t, err, "Observer")
}

func TestObserversAreNested(t *testing.T) {
	first, second := &witness{}, &witness{}
	s := hosts.Observed(memory(t), hosts.Observers(first, second))
	_, err := s.Load(t.Context(), core.ID{1})
	require.ErrorIs(t, err, core.ErrNotFound)
	require.Equal(t, []string{"load at 2 failed"}, first.heard(t))
	require.Equal(t, []string{"load at 2 failed"}, second.heard(t))
}

// can is what a store can do, by its name.
func can(s hosts.Store) (list []string) {
	note := func(name string, ok bool) {
		if ok {
			list = append(list, name)
		}
	}
	_, ok := hosts.As[hosts.Sweeper](s)
	note("sweep", ok)
	_, ok = hosts.As[hosts.Finder](s)
	note("find", ok)
	_, ok = hosts.As[hosts.Batcher](s)
	note("batch", ok)
	_, ok = hosts.As[hosts.BatchDeleter](s)
	note("end many", ok)
	_, ok = hosts.As[feed.Source](s)
	note("feed", ok)
	_, ok = hosts.As[feed.Caching](s)
	note("caching", ok)
	_, ok = hosts.As[hosts.Recaller](s)
	note("recall", ok)
	_, ok = hosts.As[hosts.Queued](s)
	note("queues", ok)
	return list
}

// batching is a store of batches.
type batching struct{ hosts.Store }

func (batching) LoadMany(context.Context, []core.ID) []hosts.Loaded {
	return []hosts.Loaded{{}, {Err: core.ErrNotFound}}
}
func (batching) SaveMany(context.Context, []hosts.Saving) []error {
	return []error{nil, core.ErrConflict}
}
func (batching) DeleteMany(context.Context, []core.ID) []error { return []error{nil, nil} }

func TestAnObservedStoreCanWhatItCould(t *testing.T) {
	gathered, err := coalesce.New(batching{memory(t)}, coalesce.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, gathered.Close()) })
	for name, s := range map[string]hosts.Store{
		"nothing": struct{ hosts.Store }{memory(t)}, "memory": memory(t), "files": files(t, t.TempDir()), "batches": batching{memory(t)},
		"a front": front{memory(t)}, "gathered": gathered,
	} {
		w := &witness{}
		observed := hosts.Observed(s, w)
		require.Equal(t, can(s), can(observed), name)
		require.Equal(t, can(s), can(front{observed}), name)
		require.Same(t, observed, hosts.Observed(observed, w), "it is observed already")
	}
	w := &witness{}
	s := hosts.Observed(batching{memory(t)}, w)
	batcher, _ := hosts.As[hosts.Batcher](s)
	batcher.LoadMany(t.Context(), make([]core.ID, 2))
	batcher.SaveMany(t.Context(), make([]hosts.Saving, 2))
	deleter, _ := hosts.As[hosts.BatchDeleter](s)
	deleter.DeleteMany(t.Context(), make([]core.ID, 2))
	require.Equal(t, []string{"load_many at 1 of 2 failed", "save_many at 1 of 2 failed", "delete_many at 1 of 2"}, w.heard(t))
}

func TestAnObservedStoreKeepsItsPromises(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store { return hosts.Observed(memory(t), &witness{}) }, soak.Unless(t, conformance.Brief())...)
}

func TestOpsHaveNames(t *testing.T) {
	var names []string
	for op := range hosts.Ops {
		names = append(names, op.String())
	}
	slices.Sort(names)
	require.Len(t, slices.Compact(names), int(hosts.Ops))
	require.Equal(t, "unlisted", hosts.Ops.String())
}

func TestFailuresAreFew(t *testing.T) {
	for want, errs := range map[hosts.Failure][]error{
		hosts.FailureNone:     {nil},
		hosts.FailureNotFound: {core.ErrNotFound, fmt.Errorf("load: %w", core.ErrNotFound)},
		hosts.FailureConflict: {core.ErrConflict, &core.ConflictError{Name: "cart"}},
		hosts.FailureRefused:  {core.ErrEnded, core.ErrCorrupt, core.ErrExpired},
		hosts.FailureRecord:   {core.ErrTooLarge, core.ErrBadName, core.ErrBadRecord, core.ErrBadID},
		hosts.FailureCanceled: {context.Canceled},
		hosts.FailureTimeout:  {context.DeadlineExceeded, fmt.Errorf("%w: %w", hosts.ErrUnavailable, context.DeadlineExceeded)},
		hosts.FailureBusy:     {hosts.ErrBusy},
		hosts.FailureFull:     {hosts.ErrFull},
		hosts.FailureClosed:   {hosts.ErrClosed},
		hosts.FailureUnknown:  {hosts.ErrUnknown, fmt.Errorf("%w: %w", hosts.ErrUnknown, context.Canceled)},
		hosts.FailureOther:    {hosts.ErrUnavailable, hosts.ErrRefused, hosts.ErrBatch, errors.New(`mallory"} 1`)},
	} {
		for _, err := range errs {
			require.Equal(t, want, hosts.FailureOf(err), "%v", err)
		}
		require.Equal(t, want >= hosts.FailureTimeout, want.IsFault(), want.String())
	}
	require.Equal(t, "unlisted", hosts.Failures.String())
}

type listObserver []int

func (listObserver) Begin(ctx context.Context, _ hosts.Call) context.Context { return ctx }
func (listObserver) End(context.Context, hosts.Call, time.Duration, error)   {}

func TestObserversOfAnyType(t *testing.T) {
	all := hosts.Observers(listObserver{1}, listObserver{2})
	for _, o := range []hosts.Observer{all, listObserver{1}} {
		require.NotPanics(t, func() { open(t, hosts.Observed(memory(t), o), hosts.Config{Observer: o}) })
	}
	m := open(t, nil, hosts.Config{Observer: hosts.Observers(nil, listObserver{1})})
	require.NotPanics(t, func() { m.create() })
}
