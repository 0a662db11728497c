package mission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// guarantees are the rows of the project's claim.
var guarantees = []row{{"E15", noUpdateLost}, {"E16", sameBytesAsWebAssembly}, {"E17", conformanceSuite}}

// Clients of one session that all write at once.
const (
	clients = 8
	rounds  = 6
)

func noUpdateLost(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{Merge: map[string]core.MergeKind{"n": core.MergeCounter}}})
	servers := []*site{s, s.twin()}
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	answers := ann.all(servers, func(client, round int) verbs {
		return func(x *hosts.Request, w http.ResponseWriter) {
			session, err := x.Manager().GetSessionFromCookie(x)
			if err == nil {
				n, _ := session.Data["n"].(int)
				session.Data["n"] = n + 1
				session.Data[fmt.Sprint("client ", client, " round ", round)] = true
				err = x.Manager().Save(x, session)
			}
			if err != nil {
				refuse(w, err)
			}
		}
	}, nil)
	for _, a := range answers {
		a.is(http.StatusOK)
	}
	session, err := s.manager.Load(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, clients*rounds, session.Data["n"])
	require.Len(t, session.Data, clients*rounds+3) // with the login's own two, and n

	for range 3 {
		logoutAmongWriters(t, servers)
	}
}

// logoutAmongWriters has one client sign out while all others write.
func logoutAmongWriters(t *testing.T, servers []*site) {
	s := servers[0]
	ann := s.browser()
	id := ann.login("/middleware", "ann")
	eve := ann.thief()
	answers := eve.all(servers, func(client, round int) verbs {
		return func(x *hosts.Request, w http.ResponseWriter) {
			if err := x.Manager().Set(x, id, fmt.Sprint("client ", client), round); err != nil {
				refuse(w, err)
			}
		}
	}, func() { ann.post("/middleware/logout").is(http.StatusOK) })
	for _, a := range answers {
		if a.StatusCode != http.StatusOK {
			require.Contains(t, []any{core.ReasonUnknown.String(), core.ReasonEnded.String()}, a.is(http.StatusUnauthorized).field("reason"))
		}
	}
	for _, server := range servers {
		_, err := server.stored(id)
		require.ErrorIs(t, err, core.ErrNotFound, "a write has undone the logout")
		eve.to(server).get("/middleware/me").refused(core.ReasonUnknown)
	}
}

// all sends clients*rounds requests with b's cookie, spread over the servers,
// all clients at once, and does meanwhile in the middle of it.
func (b *browser) all(servers []*site, h func(client, round int) verbs, meanwhile func()) []answer {
	value := b.cookie()
	answers := make([]answer, clients*rounds)
	errs := make([]error, clients*rounds)
	half := make(chan struct{})
	var group sync.WaitGroup
	for client := range clients {
		server := servers[client%len(servers)]
		thief := server.browser().give(value)
		group.Go(func() {
			for round := range rounds {
				i := client*rounds + round
				answers[i], errs[i] = thief.tryCall("/call", server.by(h(client, round)))
				if client == 0 && round == rounds/2 {
					close(half)
				}
			}
		})
	}
	<-half
	if meanwhile != nil {
		meanwhile()
	}
	group.Wait()
	require.NoError(b.site.t, errors.Join(errs...))
	return answers
}

// blind is a store with the flaw that the contract is made against: a save
// that meets a conflict puts its record there all the same.
type blind struct{ hosts.Store }

func (s blind) Save(ctx context.Context, r core.Record, prev core.Version) error {
	err := s.Store.Save(ctx, r, prev)
	if errors.Is(err, core.ErrConflict) {
		if there, err := s.Load(ctx, r.ID); err == nil {
			return s.Store.Save(ctx, r, there.Version)
		}
	}
	return err
}

// conformanceSuite is about a store with the room that the suite wants for one user.
func conformanceSuite(t *testing.T, _ backend) {
	with := func(wrap func(hosts.Store) hosts.Store) []conformance.Broken {
		return conformance.Check(t.Context(), func() (hosts.Store, func(), error) {
			s, err := cachestore.Open(cachestore.Options{MaxBytes: 64 << 20})
			require.NoError(t, err)
			return wrap(s), func() { require.NoError(t, s.Close()) }, nil
		})
	}
	require.Empty(t, with(func(s hosts.Store) hosts.Store { return s }))
	require.NotEmpty(t, with(func(s hosts.Store) hosts.Store { return blind{s} }))
}
