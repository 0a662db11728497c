package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// bare hides whatever a store can do beside the three methods.
type bare struct{ hosts.Store }

// finding calls a function after each search, before its answer arrives.
type finding struct {
	*cachestore.Store
	after func()
}

func (s finding) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	r, err := s.Store.Find(ctx, q, after, limit)
	s.after()
	return r, err
}

// signedIn makes n sessions of a user.
func (s *site) signedIn(n int, user string) (ids []core.ID) {
	for range n {
		ids = append(ids, newBrowser().login(s, user).ID)
	}
	return ids
}

func TestRevokeEndsAllOfAUser(t *testing.T) {
	for _, k := range backends {
		t.Run(k.name, func(t *testing.T) {
			store, _ := k.open(t)
			m := open(t, store, hosts.Config{})
			n := 450 // more than two pages
			anns, ben := m.signedIn(n, "ann"), m.signedIn(1, "ben")[0]
			except := []core.ID{anns[0], anns[n-1], ben}
			ended, err := m.Revoke(t.Context(), hosts.Query{User: "ann"}, except...)
			require.NoError(t, err)
			require.Equal(t, n-2, ended)
			for _, id := range anns[1 : n-1] {
				m.gone(id)
			}
			for _, id := range except {
				m.data(id)
			}
			ended, err = m.Revoke(t.Context(), hosts.Query{User: "ann"}, except...)
			require.NoError(t, err)
			require.Zero(t, ended)
			require.Len(t, m.events(hosts.EventEnded), n-2)
		})
	}
}

// A login that is on its way while the sessions are listed does not slip
// through; logins without end are not chased for ever.
func TestRevokeRacesLogins(t *testing.T) {
	store := memory(t)
	aside := open(t, store, hosts.Config{})
	late := 3
	m := open(t, finding{store, func() {
		if late--; late >= 0 {
			newBrowser().login(aside, "ann")
		}
	}}, hosts.Config{})
	m.signedIn(2, "ann")
	ended, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.NoError(t, err)
	require.Equal(t, 5, ended)
	require.Zero(t, store.Stats().Sessions)
	m.signedIn(1, "ann")
	late = 1 << 30
	ended, err = m.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.ErrorIs(t, err, hosts.ErrBusy)
	require.Equal(t, 100, ended, "one for each pass")
}

// Nobody who was signed in before a Revoke began is so after it, whoever signs
// in and writes meanwhile.
func TestRevokeAmongLoginsAndWriters(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		before := a.signedIn(20, "ann")
		var busy sync.WaitGroup
		for i, id := range before {
			busy.Go(func() {
				for n := range 10 {
					if err := b.Set(t.Context(), id, fmt.Sprint(n), i); err != nil {
						return // it has ended
					}
					newBrowser().login(b, "ann")
				}
			})
		}
		_, err := a.Revoke(t.Context(), hosts.Query{User: "ann"})
		busy.Wait()
		require.True(t, err == nil || isAny(err, hosts.ErrBusy))
		for _, id := range before {
			a.gone(id)
		}
	})
}

func TestFleetVerbsKeepToTheTenant(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	red, blue := newBrowser(), newBrowser()
	red.tenant, blue.tenant = "red", "blue"
	reds, blues := red.login(m, "ann").ID, blue.login(m, "ann").ID
	x := blue.ask(m)
	all := hosts.Query{AnyTenant: true, AnyUser: true}
	page, _, err := m.Sessions(x, all, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, blues, page[0].ID)
	page, _, err = m.Sessions(t.Context(), all, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 2, "an operator sees all")
	ended, err := m.Revoke(x, hosts.Query{Tenant: "red", AnyUser: true})
	require.NoError(t, err)
	require.Equal(t, 1, ended)
	m.gone(blues)
	m.data(reds)
}

func TestFleetVerbsWithoutAFinder(t *testing.T) {
	m := open(t, bare{memory(t)}, hosts.Config{})
	_, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.ErrorIs(t, err, hosts.ErrNoFinder)
	_, _, err = m.Sessions(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 0)
	require.ErrorIs(t, err, hosts.ErrNoFinder)
	_, err = m.CleanupExpired(t.Context())
	require.ErrorIs(t, err, hosts.ErrNoSweeper)
}

func TestRevokeTellsWhatItDidBeforeItFailed(t *testing.T) {
	deletes := 0
	store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
		if verb == conformance.Delete {
			if deletes++; deletes > 3 {
				return conformance.Fail
			}
		}
		return conformance.Pass
	})
	m := open(t, store, hosts.Config{CommitTimeout: time.Second})
	m.signedIn(5, "ann")
	ended, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.Equal(t, 3, ended)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Revoke(ctx, hosts.Query{User: "ann"})
	require.ErrorIs(t, err, context.Canceled)
}

// TestRevokeWaitsForReplicasOfOneThatFailed: it finds none any more, and knows no better
// whether the end outlives the primary.
func TestRevokeWaitsForReplicasOfOneThatFailed(t *testing.T) {
	store := &replicated{Store: memory(t), away: true}
	m := open(t, hosts.Observed(store, &witness{}), hosts.Config{CommitTimeout: time.Second})
	m.signedIn(1, "ann")
	for range 2 {
		_, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.Empty(t, m.sessionsOf("ann"))
	}
	store.away = false
	_, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.NoError(t, err)
}

// replicated deletes, and says so when its replica has it.
type replicated struct {
	hosts.Store
	away bool
}

func (s *replicated) Unwrap() hosts.Store { return s.Store }

func (s *replicated) Delete(ctx context.Context, id core.ID) error {
	if err := s.Store.Delete(ctx, id); err != nil {
		return err
	}
	return s.WaitForReplicas(ctx)
}

func (s *replicated) WaitForReplicas(context.Context) error {
	if s.away {
		return errors.New("0 of 1 replicas")
	}
	return nil
}

func TestSessionsInPages(t *testing.T) {
	for _, k := range backends {
		t.Run(k.name, func(t *testing.T) {
			store, _ := k.open(t)
			m := open(t, store, hosts.Config{})
			ids := m.signedIn(7, "ann")
			m.clock.pass(23 * time.Hour)
			ids = append(ids, m.signedIn(7, "ann")...)
			for limit := 1; limit <= 15; limit++ {
				require.ElementsMatch(t, ids, m.walk(t, limit), "pages of %d", limit)
			}
			m.clock.pass(time.Hour) // the first seven run out
			require.ElementsMatch(t, ids[7:], m.walk(t, 3))
			r, err := store.Load(t.Context(), ids[7])
			require.NoError(t, err)
			r.Version++ // somebody writes into the table
			require.NoError(t, store.Save(t.Context(), r, r.Version-1))
			require.ElementsMatch(t, ids[8:], m.walk(t, 4))
		})
	}
	m := open(t, nil, hosts.Config{})
	for _, limit := range []int{-1, 1001} {
		_, _, err := m.Sessions(t.Context(), hosts.Query{AnyUser: true}, core.ID{}, limit)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, hosts.ConfigError{Field: "limit", Value: fmt.Sprint(limit), Allowed: "1 to 1000, or 0 for 200"}, *refused)
	}
	m.signedIn(201, "ann")
	page, next, err := m.Sessions(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 200)
	require.Equal(t, page[199].ID, next)
}

// walk lists ann's sessions page by page.
func (s *site) walk(t *testing.T, limit int) (ids []core.ID) {
	t.Helper()
	var after core.ID
	for {
		page, next, err := s.Sessions(t.Context(), hosts.Query{User: "ann"}, after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		for _, n := range page {
			require.Equal(t, "ann", n.UserID)
			ids = append(ids, n.ID)
		}
		if next.IsZero() {
			return ids
		}
		after = next
	}
}

// A user that was forgotten selects nobody's sessions by accident, and ends none.
func TestAQueryWithoutAUserIsRefused(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	visitor, ann := m.create().ID, newBrowser().login(m, "ann").ID
	for _, q := range []hosts.Query{{}, {AnyTenant: true}, {Tenant: "red"}, {ExpiresBefore: 1 << 50},
		{User: "ann", Anonymous: true}, {AnyUser: true, Anonymous: true}} {
		var refused *hosts.ConfigError
		_, err := m.Revoke(t.Context(), q)
		require.ErrorAs(t, err, &refused, "%+v", q)
		require.NotEmpty(t, refused.Allowed)
		_, _, err = m.Sessions(t.Context(), q, core.ID{}, 0)
		require.ErrorAs(t, err, &refused, "%+v", q)
	}
	anonymous := hosts.Query{Anonymous: true}
	page, _, err := m.Sessions(t.Context(), anonymous, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, visitor, page[0].ID)
	require.True(t, anonymous.Matches(&core.Record{}))
	require.False(t, anonymous.Matches(&core.Record{User: "ann"}))
	ended, err := m.Revoke(t.Context(), anonymous)
	require.NoError(t, err)
	require.Equal(t, 1, ended)
	m.gone(visitor)
	m.data(ann)
}
