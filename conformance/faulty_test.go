package conformance

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
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
	return errs
}

func TestFaultyStoreThatPassesIsRight(t *testing.T) {
	TestStore(t, func(*testing.T) hosts.Store {
		return Faulty(newMapStore(), func(int, Verb) Fault { return Pass })
	})
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
	require.Empty(t, m.records)
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
		if verb == Save {
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
	require.Equal(t, []Verb{Load, Save, Find, Delete, Sweep}, verbs)
}

func TestFaultyOffersWhatTheStoreOffers(t *testing.T) {
	pass := func(int, Verb) Fault { return Pass }
	sweeper := struct {
		hosts.Store
		hosts.Sweeper
	}{newMapStore(), newMapStore()}
	finder := struct {
		hosts.Store
		hosts.Finder
	}{newMapStore(), newMapStore()}
	for _, s := range []hosts.Store{newMapStore(), plain{newMapStore()}, sweeper, finder} {
		f := Faulty(s, pass)
		require.Equal(t, offers[hosts.Sweeper](s), offers[hosts.Sweeper](f))
		require.Equal(t, offers[hosts.Finder](s), offers[hosts.Finder](f))
		require.False(t, offers[hosts.Batcher](f))
	}
}
