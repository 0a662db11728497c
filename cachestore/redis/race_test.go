package redis

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

var benchKey = core.NewSecret("0123456789abcdefghijklmnopqrstuv")

// site is two processes with one Redis.
type site struct {
	stores   [2]*Store
	managers [2]*hosts.Manager
}

func newSite(t *testing.T, url string, o Options) *site {
	x := &site{}
	o.Prefix = newPrefix()
	for i := range x.stores {
		x.stores[i] = open(t, url, o)
		m, err := hosts.New(x.stores[i], hosts.Config{Key: benchKey})
		require.NoError(t, err)
		x.managers[i] = m
		t.Cleanup(func() { require.NoError(t, m.Close()) })
	}
	t.Cleanup(func() { wipe(t, x.stores[0]) })
	return x
}

// login begins a session of ann's, or signs her in to one of nobody's.
func (x *site) login(t *testing.T, i int, to core.ID) core.ID {
	m := x.managers[i%2]
	s, err := m.Create(t.Context())
	if !to.IsZero() {
		s, err = m.Load(t.Context(), to)
	}
	if errors.Is(err, core.ErrNotFound) {
		return core.ID{}
	}
	if !assert.NoError(t, err) {
		return core.ID{}
	}
	s.UserID = "ann"
	if err := m.Save(t.Context(), s); err != nil {
		assert.ErrorIs(t, err, core.ErrEnded)
		return core.ID{}
	}
	return s.ID
}

// listed fails if a session that is live is missing from the user's: it may be
// missing only because it has ended.
func (x *site) listed(t *testing.T, i int, id core.ID) {
	s := x.stores[i%2]
	found, err := s.Find(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 10_000)
	if !assert.NoError(t, err) || slices.Contains(idsOf(found), id) {
		return
	}
	_, err = s.Load(t.Context(), id)
	assert.ErrorIs(t, err, core.ErrNotFound, "%v is live and was missing from its user's sessions", id)
}

// Ann signs in all the time, to new sessions and to old ones of nobody's, her
// sessions are touched and pass to others and back, and meanwhile all of them
// are ended, again and again. No acknowledged login is ever missing from her
// sessions, and none that came before an end outlives it.
func TestEndsRaceLogins(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"single": servers.Redis, "cluster": servers.RedisCluster} {
		t.Run(name, func(t *testing.T) { endsRaceLogins(t, newSite(t, url(t), Options{})) })
	}
}

// acknowledged is the sessions whose logins have returned.
type acknowledged struct {
	mu  sync.Mutex
	ids []core.ID
}

func (a *acknowledged) add(id core.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, id)
}

func (a *acknowledged) all() []core.ID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.ids)
}

func endsRaceLogins(t *testing.T, x *site) {
	const callers = 6
	logins := soak.Rounds(t, 20, 200)
	var logged acknowledged
	var busy, ends sync.WaitGroup
	stop := make(chan struct{})
	for c := range callers {
		busy.Go(func() {
			for n := range logins {
				var to core.ID
				if n%2 == 0 { // an old one
					s, err := x.managers[c%2].Create(t.Context())
					if !assert.NoError(t, err) || !assert.NoError(t, x.managers[c%2].Save(t.Context(), s)) {
						return
					}
					to = s.ID
				}
				id := x.login(t, c+n, to)
				if id.IsZero() {
					continue
				}
				x.listed(t, c, id)
				logged.add(id)
				pass(t, x.stores[n%2], id)
			}
		})
	}
	ended := 0
	ends.Go(func() {
		for last := false; !last; {
			select {
			case <-stop:
				last = true
			default:
			}
			before := logged.all()
			n, err := x.managers[ended%2].Revoke(t.Context(), hosts.Query{User: "ann"})
			if !assert.NoError(t, err) {
				return
			}
			ended += n
			for i, l := range x.stores[(ended+1)%2].LoadMany(t.Context(), before) {
				if passes(before[i]) == 0 { // ann's without a break
					assert.ErrorIs(t, l.Err, core.ErrNotFound, "%v outlives the end of all", before[i])
				}
			}
		}
	})
	busy.Wait()
	close(stop)
	ends.Wait()
	require.Positive(t, ended)
	left, err := x.stores[0].Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 10_000)
	require.NoError(t, err)
	for _, r := range left {
		require.NotEqual(t, "ann", r.User)
	}
	require.Empty(t, audit(t, x.stores[0]), "nothing has expired: the index is exact")
}

// passes is how often a session changes hands.
func passes(id core.ID) int { return int(id[15] % 4) }

// pass gives a session to bob, through him back to ann, and to bob again,
// whatever others do to it meanwhile.
func pass(t *testing.T, s *Store, id core.ID) {
	for _, user := range []string{"bob", "ann", "bob"}[:passes(id)] {
		r, err := s.Load(t.Context(), id)
		if errors.Is(err, core.ErrNotFound) {
			return
		}
		if !assert.NoError(t, err) {
			return
		}
		was := r.Version
		r.Version, r.User = newRecord().Version, user
		if err := s.Save(t.Context(), r, was); err != nil {
			assert.ErrorIs(t, err, core.ErrConflict)
			return
		}
	}
}
