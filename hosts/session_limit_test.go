package hosts_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// limited are two servers with a limit.
func limited(t *testing.T, c hosts.Config, f func(t *testing.T, a, b *site)) {
	for _, k := range backends {
		t.Run(k.name, func(t *testing.T) {
			one, other := k.open(t)
			if c.Clock = newClock(); c.MaxPerUser == 0 {
				c.MaxPerUser = 5
			}
			f(t, open(t, one, c), open(t, other, c))
		})
	}
}

func (s *site) sessionsOf(user string) []*hosts.Session {
	s.t.Helper()
	all, _, err := s.Sessions(s.t.Context(), hosts.Query{User: user}, core.ID{}, 0)
	require.NoError(s.t, err)
	return all
}

func signIn(m *site, b *browser, user string) error {
	_, err := m.Login(b.ask(m), user, 0)
	return err
}

// TestFiftyLoginsAtOnce: whatever the order in which they are stored and judged, the
// limit holds.
func TestFiftyLoginsAtOnce(t *testing.T) {
	for _, at := range []hosts.AtLimit{hosts.EndOldest, hosts.EndLeastUsed, hosts.Refuse} {
		t.Run(at.String(), func(t *testing.T) {
			limited(t, hosts.Config{AtLimit: at}, func(t *testing.T, a, b *site) {
				var all sync.WaitGroup
				var in atomic.Int64
				browsers := make([]*browser, 50)
				for i := range browsers {
					browsers[i] = newBrowser()
					all.Go(func() {
						m := []*site{a, b}[i%2]
						m.clock.pass(time.Millisecond)
						switch err := signIn(m, browsers[i], "ann"); {
						case err == nil:
							in.Add(1)
						case !errors.Is(err, hosts.ErrSessionLimit):
							t.Error(err)
						}
					})
				}
				all.Wait()
				left, live := len(a.sessionsOf("ann")), 0
				for _, one := range browsers {
					if s, err := one.session(a); err == nil && s.UserID == "ann" {
						live++
					}
				}
				require.Equal(t, left, live, "who is left has the cookie")
				switch at {
				case hosts.EndOldest:
					require.Equal(t, 5, left)
				case hosts.Refuse:
					require.LessOrEqual(t, left, 5)
					require.EqualValues(t, in.Load(), left, "who was let in stays in")
				default:
					require.NoError(t, signIn(a, newBrowser(), "ann"))
					require.Len(t, a.sessionsOf("ann"), 5)
				}
			})
		})
	}
}

func TestWhoMakesRoom(t *testing.T) {
	for _, c := range []struct {
		at    hosts.AtLimit
		stays []bool // of three, of which the first is used last
	}{
		{hosts.EndOldest, []bool{false, true, true}},
		{hosts.EndLeastUsed, []bool{true, false, true}},
		{hosts.Refuse, []bool{true, true, true}},
	} {
		t.Run(c.at.String(), func(t *testing.T) {
			limited(t, hosts.Config{AtLimit: c.at, MaxPerUser: 3, IdleTimeout: time.Hour}, func(t *testing.T, a, b *site) {
				three := make([]*browser, len(c.stays))
				for i := range three {
					three[i] = newBrowser()
					require.NoError(t, signIn(a, three[i], "ann"))
					a.clock.pass(10 * time.Minute)
				}
				require.NoError(t, signIn(a, newBrowser(), "ben"), "others do not count")
				red := newBrowser()
				red.tenant = "red"
				require.NoError(t, signIn(a, red, "ann"), "nor do other tenants")
				require.NoError(t, signIn(b, three[0], "ann"), "nor a login in a session that is theirs already")
				if c.at == hosts.EndOldest { // which was the oldest, and is the newest now
					c.stays = []bool{true, false, true}
				}
				fourth := newBrowser()
				x := fourth.ask(b)
				s, err := b.Create(x)
				require.NoError(t, err)
				s.Data["cart"] = "book"
				require.NoError(t, b.Save(x, s))
				require.NoError(t, b.SetCookie(x, s))
				err = signIn(b, fourth, "ann")
				if c.at == hosts.Refuse {
					require.ErrorIs(t, err, hosts.ErrSessionLimit)
				} else {
					require.NoError(t, err)
				}
				own, err := fourth.session(a)
				require.NoError(t, err)
				require.Equal(t, "book", own.Data["cart"], "also of who was refused")
				for i, stays := range c.stays {
					_, err := three[i].session(b)
					require.Equal(t, stays, err == nil, "session %d: %v", i, err)
				}
				require.Len(t, a.sessionsOf("ann"), 3)
				if c.at != hosts.Refuse {
					ended := b.events(hosts.EventEnded)
					require.Len(t, ended, 1)
					require.Equal(t, core.ReasonEnded, ended[0].Reason)
				}
			})
		})
	}
}

// TestALimitOverWhatIsThere: a limit that is switched on, or lowered, holds from the next
// login on. Expired sessions do not count.
func TestALimitOverWhatIsThere(t *testing.T) {
	store := memory(t)
	before := open(t, store, hosts.Config{Lifetime: time.Hour})
	before.signedIn(300, "ann")
	before.clock.pass(time.Second)
	m := open(t, store, hosts.Config{MaxPerUser: 2, Clock: before.clock, Lifetime: time.Hour})
	require.NoError(t, signIn(m, newBrowser(), "ann"))
	require.Len(t, m.sessionsOf("ann"), 2)
	m.clock.pass(61 * time.Minute)
	last := open(t, store, hosts.Config{MaxPerUser: 1, AtLimit: hosts.Refuse, Clock: before.clock})
	require.NoError(t, signIn(last, newBrowser(), "ann"))
	require.ErrorIs(t, signIn(last, newBrowser(), "ann"), hosts.ErrSessionLimit)
}

// TestALimitWhileTheStoreIsDown: a login that was stored stands where older sessions
// cannot be ended, and the next one ends them. Refuse refuses.
func TestALimitWhileTheStoreIsDown(t *testing.T) {
	for _, at := range []hosts.AtLimit{hosts.EndOldest, hosts.EndLeastUsed, hosts.Refuse} {
		t.Run(at.String(), func(t *testing.T) {
			inner := memory(t)
			var down atomic.Bool
			m := open(t, blind{inner, &down}, hosts.Config{MaxPerUser: 1, AtLimit: at})
			require.NoError(t, signIn(m, newBrowser(), "ann"))
			m.clock.pass(time.Millisecond)
			down.Store(true)
			second := newBrowser()
			err := signIn(m, second, "ann")
			down.Store(false)
			if at == hosts.Refuse {
				require.ErrorIs(t, err, hosts.ErrUnavailable)
				require.Len(t, m.sessionsOf("ann"), 1)
				return
			}
			require.NoError(t, err)
			require.Len(t, m.sessionsOf("ann"), 2)
			m.clock.pass(time.Millisecond)
			require.NoError(t, signIn(m, newBrowser(), "ann"))
			require.Len(t, m.sessionsOf("ann"), 1)
			require.Contains(t, m.log.String(), "list sessions: session store is unavailable: down")
		})
	}
}

// blind finds nothing while it is down.
type blind struct {
	hosts.Store
	down *atomic.Bool
}

func (b blind) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if b.down.Load() {
		return nil, errors.New("down")
	}
	return b.Store.(hosts.Finder).Find(ctx, q, after, limit)
}

func TestLimitsThatCannotBeKept(t *testing.T) {
	for want, c := range map[string]hosts.Config{
		`MaxPerUser is "-1"`:        {MaxPerUser: -1},
		`MaxPerUser is "1001"`:      {MaxPerUser: 1001},
		`AtLimit is "AtLimit(3)"`:   {MaxPerUser: 1, AtLimit: 3},
		`AtLimit is "Refuse"; allo`: {AtLimit: hosts.Refuse},
	} {
		c.Key = key
		_, err := hosts.New(memory(t), c)
		require.ErrorContains(t, err, want)
	}
	_, err := hosts.New(struct{ hosts.Store }{memory(t)}, hosts.Config{Key: key, MaxPerUser: 1})
	require.ErrorContains(t, err, "which cannot list a user's sessions")
}

// A program that signs a user in on a session of theirs does so in the request of another
// visitor, who keeps their own session where that is refused.
func TestALimitOverAnothersSessionLeavesTheVisitorsOwn(t *testing.T) {
	m := open(t, &searchesSo{Store: memory(t)}, hosts.Config{MaxPerUser: 1, AtLimit: hosts.Refuse})
	admin := newBrowser()
	m.store.(*searchesSo).more = 3 // of the login, and before the save
	admin.login(m, "admin")
	value, set, id := admin.value, len(admin.set), m.create().ID
	x := admin.ask(m)
	_, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	other, err := m.Load(x, id)
	require.NoError(t, err)
	other.UserID = "ann"
	require.ErrorIs(t, m.Save(x, other), hosts.ErrUnavailable)
	m.gone(id)
	require.Equal(t, value, admin.value)
	require.Len(t, admin.set, set)
	require.Equal(t, "admin", x.Current().User())
}

// searchesSo finds sessions so many times more.
type searchesSo struct {
	hosts.Store
	more int
}

func (s *searchesSo) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if s.more--; s.more < 0 {
		return nil, errors.New("down")
	}
	return s.Store.(hosts.Finder).Find(ctx, q, after, limit)
}

// Sessions of an old password are over, also before a request has found that out.
func TestSessionsOfOldCredentialsDoNotCount(t *testing.T) {
	for _, at := range []hosts.AtLimit{hosts.EndOldest, hosts.EndLeastUsed, hosts.Refuse} {
		t.Run(at.String(), func(t *testing.T) {
			tb := newTable("ann")
			m := open(t, nil, hosts.Config{Credentials: tb.ask, MaxPerUser: 2, AtLimit: at})
			own, thief, fresh := newBrowser(), newBrowser(), newBrowser()
			tb.enter(m, own, "ann")
			m.clock.pass(time.Minute)
			tb.enter(m, thief, "ann")
			m.clock.pass(time.Minute)
			require.NoError(t, tb.changes(m, own, "ann", "hash 2"))
			m.clock.pass(time.Minute)
			_, err := m.LoginWith(fresh.ask(m), "ann", hosts.Login{Stamp: core.NewSecret("hash 2")})
			require.NoError(t, err)
			_, err = own.session(m)
			require.NoError(t, err)
			_, err = thief.session(m)
			require.Error(t, err)
		})
	}
}

func TestALimitAfterTheClockWasSetBack(t *testing.T) {
	m := open(t, nil, hosts.Config{MaxPerUser: 1})
	require.NoError(t, signIn(m, newBrowser(), "ann"))
	m.clock.pass(-time.Hour)
	ann := newBrowser()
	require.NoError(t, signIn(m, ann, "ann"))
	_, err := ann.session(m)
	require.NoError(t, err)
	require.Len(t, m.sessionsOf("ann"), 1)
}

// A logout must reach every session, and a list show it: a hint may lack some.
func TestOnlyLoginsAreAnsweredByHints(t *testing.T) {
	for at, want := range []int64{1, 1, 2} {
		var finds, marked atomic.Int64
		m := open(t, searched{memory(t), &finds, &marked}, hosts.Config{MaxPerUser: 5, AtLimit: hosts.AtLimit(at)})
		require.NoError(t, signIn(m, newBrowser(), "ann"))
		require.Equal(t, want, finds.Load())
		require.Equal(t, want, marked.Load())
		require.Len(t, m.sessionsOf("ann"), 1)
		_, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
		require.NoError(t, err)
		require.Greater(t, finds.Load(), want+1)
		require.Equal(t, want, marked.Load())
	}
}
