package conformance

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// planned returns a store that makes the given fault for every call, and the
// map underneath with one record.
func planned(t *testing.T, fault Fault) (hosts.Store, *mapStore, core.Record) {
	m := newMapStore()
	r := newProbe(t.Context(), func() {}, t.Name(), m, m).record()
	require.NoError(t, m.Save(t.Context(), r, core.NoVersion))
	return Faulty(m, func(int, Verb) Fault { return fault }), m, r
}

// answers calls each verb once.
func answers(ctx context.Context, s hosts.Store, r core.Record) map[Verb]error {
	errs := make(map[Verb]error)
	_, errs[Load] = s.Load(ctx, r.ID)
	next := r
	next.Version++
	errs[Save] = s.Save(ctx, next, r.Version)
	_, errs[Find] = s.(hosts.Finder).Find(ctx, everything, core.ID{}, 10)
	errs[Delete] = s.Delete(ctx, r.ID)
	_, errs[Sweep] = s.(hosts.Sweeper).Sweep(ctx, 1, 10)
	if b, ok := s.(hosts.Batcher); ok {
		next.Version++
		errs[LoadMany] = b.LoadMany(ctx, []core.ID{r.ID, {9}})[0].Err
		errs[SaveMany] = b.SaveMany(ctx, []hosts.Saving{{Record: next}, {Record: next, Prev: 9}})[0]
	}
	return errs
}

func TestFaultyStoreThatPassesIsRight(t *testing.T) {
	TestStore(t, func(*testing.T) hosts.Store {
		return Faulty(newMapStore(), func(int, Verb) Fault { return Pass })
	}, soak.Unless(t, Brief())...)
}

func TestFail(t *testing.T) {
	s, m, r := planned(t, Fail)
	for verb, err := range answers(t.Context(), s, r) {
		require.ErrorIs(t, err, hosts.ErrUnavailable, verb)
	}
	require.Equal(t, map[core.ID]core.Record{r.ID: r}, m.records)
}

func TestLoseAnswer(t *testing.T) {
	s, m, r := planned(t, LoseAnswer)
	next := r
	next.Version++
	require.ErrorIs(t, s.Save(t.Context(), next, r.Version), hosts.ErrUnavailable)
	require.Equal(t, next.Version, m.records[r.ID].Version)
	for verb, err := range answers(t.Context(), s, r) {
		require.ErrorIs(t, err, hosts.ErrUnavailable, verb)
	}
	require.Len(t, m.records, 1, "deleted, and inserted by a batch")
}

func TestHang(t *testing.T) {
	s, m, r := planned(t, Hang)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan map[Verb]error)
	go func() { ended <- answers(ctx, s, r) }()
	select {
	case <-ended:
		require.Fail(t, "a hanging call has returned before its context ended")
	default:
	}
	cancel()
	for verb, err := range <-ended {
		require.ErrorIs(t, err, context.Canceled, verb)
	}
	require.Equal(t, map[core.ID]core.Record{r.ID: r}, m.records)
}

func TestConflict(t *testing.T) {
	s, m, r := planned(t, Conflict)
	for verb, err := range answers(t.Context(), s, r) {
		if verb == Save || verb == SaveMany {
			require.ErrorIs(t, err, core.ErrConflict)
		} else {
			require.ErrorIs(t, err, hosts.ErrUnavailable, verb)
		}
	}
	require.Equal(t, map[core.ID]core.Record{r.ID: r}, m.records)
}

func TestGarbage(t *testing.T) {
	s, m, r := planned(t, Garbage)
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.NotEmpty(t, difference(r, got))
	found, err := s.(hosts.Finder).Find(t.Context(), everything, core.ID{}, 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.NotEmpty(t, difference(r, found[0]))
	many := s.(hosts.Batcher).LoadMany(t.Context(), []core.ID{r.ID})
	require.NoError(t, many[0].Err)
	require.NotEmpty(t, difference(r, many[0].Record))
	require.ErrorIs(t, s.Delete(t.Context(), r.ID), hosts.ErrUnavailable)
	require.Empty(t, m.records)
}

func TestHangAfter(t *testing.T) {
	s, m, r := planned(t, HangAfter)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Delete(ctx, r.ID) }()
	for there := true; there; {
		_, err := m.Load(t.Context(), r.ID)
		there = err == nil
		runtime.Gosched()
	}
	require.Empty(t, ended, "a hanging call has returned before its context ended")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestCancel(t *testing.T) {
	s, m, r := planned(t, Cancel)
	for verb, err := range answers(t.Context(), s, r) {
		require.ErrorIs(t, err, context.Canceled, verb)
	}
	require.Equal(t, map[core.ID]core.Record{r.ID: r}, m.records)
	require.NoError(t, t.Context().Err())
}

// A right store takes a repetition for what it is.
func TestTwiceIsOnceForARightStore(t *testing.T) {
	s, m, r := planned(t, Twice)
	for verb, err := range answers(t.Context(), s, r) {
		if verb == LoadMany {
			require.ErrorIs(t, err, core.ErrNotFound, "it was deleted")
		} else {
			require.NoError(t, err, verb)
		}
	}
	require.Len(t, m.records, 1)
}

func TestLandLate(t *testing.T) {
	m := newMapStore()
	r := newProbe(t.Context(), func() {}, t.Name(), m, m).record()
	faults := []Fault{LandLate, Pass, LandLate, LandLate, Pass}
	s := Faulty(m, func(call int, _ Verb) Fault { return faults[call] })
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, s.Save(ctx, r, core.NoVersion), hosts.ErrUnavailable)
	cancel()
	require.Empty(t, m.records)
	_, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err, "it landed when the next call began")
	next := r
	next.Version++
	b := s.(hosts.Batcher)
	require.ErrorIs(t, b.SaveMany(t.Context(), []hosts.Saving{{Record: next, Prev: r.Version}})[0], hosts.ErrUnavailable)
	require.ErrorIs(t, b.LoadMany(t.Context(), []core.ID{r.ID})[0].Err, hosts.ErrUnavailable)
	require.Equal(t, next, m.records[r.ID])
	_, err = s.Load(t.Context(), r.ID)
	require.NoError(t, err)
}

func TestFailBatch(t *testing.T) {
	s, m, r := planned(t, FailBatch)
	for verb, err := range answers(t.Context(), s, r) {
		if verb == LoadMany || verb == SaveMany {
			require.ErrorIs(t, err, hosts.ErrBatch)
		} else {
			require.ErrorIs(t, err, hosts.ErrUnavailable, verb)
		}
	}
	require.Equal(t, map[core.ID]core.Record{r.ID: r}, m.records)
}

func TestShort(t *testing.T) {
	s, m, r := planned(t, Short)
	b := s.(hosts.Batcher)
	next := r
	next.Version++
	require.Equal(t, []error{nil}, b.SaveMany(t.Context(), []hosts.Saving{{Record: next, Prev: r.Version}, {Record: next}}))
	require.Equal(t, next, m.records[r.ID])
	require.Len(t, b.LoadMany(t.Context(), []core.ID{r.ID, r.ID}), 1)
	require.ErrorIs(t, s.Delete(t.Context(), r.ID), hosts.ErrUnavailable)
	require.Empty(t, m.records)
}

func TestPlanSeesNumberAndVerb(t *testing.T) {
	var verbs []Verb
	s := Faulty(newMapStore(), func(call int, verb Verb) Fault {
		require.Equal(t, len(verbs), call)
		verbs = append(verbs, verb)
		return Pass
	})
	r := core.Record{ID: core.ID{1}, Version: 1}
	answers(t.Context(), s, r)
	require.Equal(t, []Verb{Load, Save, Find, Delete, Sweep, LoadMany, SaveMany}, verbs)
}

func TestFaultyOffersWhatTheStoreOffers(t *testing.T) {
	m := newMapStore()
	type (
		sweeps  struct{ hosts.Sweeper }
		finds   struct{ hosts.Finder }
		batches struct{ hosts.Batcher }
	)
	w, l, b := sweeps{m}, finds{m}, batches{m}
	for _, s := range []hosts.Store{
		m, plain{m},
		struct {
			plain
			sweeps
		}{plain{m}, w},
		struct {
			plain
			finds
		}{plain{m}, l},
		struct {
			plain
			batches
		}{plain{m}, b},
		struct {
			plain
			sweeps
			finds
		}{plain{m}, w, l},
		struct {
			plain
			sweeps
			batches
		}{plain{m}, w, b},
		struct {
			plain
			finds
			batches
		}{plain{m}, l, b},
	} {
		f := Faulty(s, func(int, Verb) Fault { return Pass })
		require.Equal(t, offers[hosts.Sweeper](s), offers[hosts.Sweeper](f))
		require.Equal(t, offers[hosts.Finder](s), offers[hosts.Finder](f))
		require.Equal(t, offers[hosts.Batcher](s), offers[hosts.Batcher](f))
	}
}
