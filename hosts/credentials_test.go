package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// table is an application's table of users.
type table struct {
	mu    sync.Mutex
	stamp map[string]string
	asked int
	fails error
	meet  func() // called while it is asked
}

func newTable(users ...string) *table {
	tb := &table{stamp: map[string]string{}}
	for _, u := range users {
		tb.stamp[u] = "hash 1 of " + u
	}
	return tb
}

func (tb *table) ask(ctx context.Context, tenant, user string) (string, error) {
	if hosts.RequestFrom(ctx) != nil {
		return "", errors.New("the function was given the session")
	}
	tb.mu.Lock()
	tb.asked++
	meet, stamp, err := tb.meet, tb.stamp[tenant+user], tb.fails
	tb.meet = nil
	tb.mu.Unlock()
	if meet != nil {
		meet()
	}
	return stamp, err
}

func (tb *table) set(user, stamp string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.stamp[user] = stamp
}

func (tb *table) fail(err error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.fails = err
}

func (tb *table) asks() int {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.asked
}

// enter signs a user in by what the table says.
func (tb *table) enter(m *site, b *browser, user string) *hosts.Session {
	m.t.Helper()
	x := b.ask(m)
	defer x.Close()
	s, err := m.LoginWith(x, user, hosts.Login{Stamp: core.NewSecret(tb.stamp[user]), Methods: []string{"pwd"}})
	require.NoError(m.t, err)
	return s
}

// changes has the user's own browser set a new password.
func (tb *table) changes(m *site, b *browser, user, stamp string) error {
	x := b.ask(m)
	defer x.Close()
	s, err := m.GetSessionFromCookie(x)
	if err != nil {
		return err
	}
	tb.set(user, stamp)
	return m.RenewWith(x, s, stamp)
}

func TestAChangedPasswordEndsTheOthers(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			tb := newTable("ann", "ben")
			one, two := b.open(t)
			m, other := open(t, one, hosts.Config{Credentials: tb.ask}), open(t, two, hosts.Config{Credentials: tb.ask})
			own, phone, ben := newBrowser(), newBrowser(), newBrowser()
			id := tb.enter(m, own, "ann").ID
			lost := tb.enter(other, phone, "ann").ID
			tb.enter(m, ben, "ben")

			require.NoError(t, tb.changes(m, own, "ann", "hash 2"))
			s, err := own.session(other)
			require.NoError(t, err)
			require.Equal(t, id, s.ID)
			require.Equal(t, []string{"pwd"}, s.Methods())
			_, err = ben.session(other)
			require.NoError(t, err)
			require.Len(t, m.sessionsOf("ann"), 2, "the other is listed until its next request")
			set := len(phone.set)
			for range 2 { // also at the other server, and again
				_, err = phone.session(m)
				require.ErrorIs(t, err, core.ErrCredentialsChanged)
				_, err = phone.session(other)
				require.ErrorIs(t, err, core.ErrCredentialsChanged)
			}
			require.Len(t, phone.set, set, "no cookie: it might be in the place of one that was renewed at that moment")
			m.gone(lost)
			require.Len(t, m.sessionsOf("ann"), 1)
			tb.set("ann", "hash 1 of ann") // it does not live again
			_, err = phone.session(m)
			require.ErrorIs(t, err, core.ErrCredentialsChanged)
			tb.enter(m, phone, "ann")
			_, err = phone.session(m)
			require.NoError(t, err)

			ended := m.events(hosts.EventEnded)
			require.Len(t, ended, 1)
			require.Equal(t, core.ReasonCredentials, ended[0].Reason)
			require.Equal(t, lost, ended[0].ID)
			require.Equal(t, "ann", ended[0].User)
			require.NotContains(t, m.log.String(), "hash", "a stamp is in no log")
		})
	}
}

// What the function cannot say signs nobody out, whatever its error looks like.
func TestCredentialsThatCannotBeChecked(t *testing.T) {
	tb := newTable("ann")
	m := open(t, nil, hosts.Config{Credentials: tb.ask})
	ann := newBrowser()
	id := tb.enter(m, ann, "ann").ID
	for _, err := range []error{errors.New("connection refused"), core.ErrExpired, core.ErrConflict, context.Canceled, fmt.Errorf("%w", core.ErrNotFound)} {
		tb.fail(err)
		_, got := ann.session(m)
		require.ErrorIs(t, got, hosts.ErrCredentials)
		require.ErrorIs(t, got, hosts.ErrUnavailable)
		require.Equal(t, core.ReasonNone, core.ReasonOf(got))
		_, got = m.LoginWith(newBrowser().ask(m), "ann", hosts.Login{Stamp: core.NewSecret("hash 1 of ann")})
		require.ErrorIs(t, got, hosts.ErrCredentials)
	}
	tb.fail(nil)
	tb.set("ann", string(make([]byte, core.MaxStamp+1)))
	_, err := ann.session(m)
	require.ErrorIs(t, err, hosts.ErrCredentials, "a stamp that is too long says nothing")
	tb.set("ann", "hash 1 of ann")
	s, err := ann.session(m)
	require.NoError(t, err)
	require.Equal(t, id, s.ID)

	// It fails between the check and the commit: nothing is stored, nothing ends.
	x := ann.ask(m)
	s, err = m.GetSessionFromCookie(x)
	require.NoError(t, err)
	tb.fail(errors.New("connection refused"))
	s.Data["n"] = 1
	require.ErrorIs(t, m.Save(x, s), hosts.ErrCredentials)
	tb.fail(nil)
	require.Empty(t, m.data(id))

	tb.set("ann", "") // the user was deleted
	_, err = ann.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	m.gone(id)
	require.NoError(t, m.Close())
	require.Contains(t, m.log.String(), "Config.Credentials: connection refused")
}

// Switching the option on signs nobody out, and costs one save of each session.
func TestSessionsFromBeforeTheOption(t *testing.T) {
	store, tb := memory(t), newTable("ann")
	counting := &countingSaves{Store: store}
	before := open(t, store, hosts.Config{})
	m := open(t, counting, hosts.Config{Credentials: tb.ask})
	ann, guest := newBrowser(), newBrowser()
	id := ann.login(before, "ann").ID
	for range 3 {
		_, err := ann.session(m)
		require.NoError(t, err)
		_, err = guest.session(m)
		require.ErrorIs(t, err, core.ErrNoCookie)
	}
	require.Equal(t, 1, counting.saves)
	require.Equal(t, 3, tb.asks(), "nobody is asked about a visitor who is not signed in")
	tb.set("ann", "hash 2")
	_, err := ann.session(before)
	require.NoError(t, err, "a server without the option does not look")
	_, err = ann.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	m.gone(id)
}

type countingSaves struct {
	hosts.Store
	saves int
}

func (c *countingSaves) Save(ctx context.Context, r core.Record, prev core.Version) error {
	c.saves++
	return c.Store.Save(ctx, r, prev)
}

func TestALoginNeedsTheStampOfWhatWasVerified(t *testing.T) {
	tb := newTable("ann")
	m := open(t, nil, hosts.Config{Credentials: tb.ask})
	b := newBrowser()
	x := b.ask(m)
	_, err := m.Login(x, "ann", 0)
	require.ErrorIs(t, err, hosts.ErrNoStamp)
	s, err := m.Create(x)
	require.NoError(t, err)
	s.UserID = "ann"
	require.ErrorIs(t, m.Save(x, s), hosts.ErrNoStamp)

	tb.set("ann", "hash 2") // since the password was verified
	_, err = m.LoginWith(x, "ann", hosts.Login{Stamp: core.NewSecret("hash 1 of ann")})
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	require.Empty(t, b.set)

	// A wrong stamp says nothing of the session that there is.
	tb.enter(m, b, "ann")
	x = b.ask(m)
	s, err = m.GetSessionFromCookie(x)
	require.NoError(t, err)
	require.ErrorIs(t, m.RenewWith(x, s, "hash 3"), core.ErrCredentialsChanged)
	_, err = m.LoginWith(b.ask(m), "ann", hosts.Login{Stamp: core.NewSecret("hash 3")})
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	_, err = b.session(m)
	require.NoError(t, err)
	require.ErrorIs(t, m.RenewWith(x, s, ""), core.ErrStamp)
	_, err = m.LoginWith(b.ask(m), "ann", hosts.Login{Stamp: core.NewSecret("hash 2"), Methods: []string{"a b"}})
	require.ErrorIs(t, err, core.ErrMethod)
}

// The password changes between the check and the commit: what only notes a use is
// stored all the same, and what changes something is refused.
func TestACommitChecksAgain(t *testing.T) {
	tb := newTable("ann")
	m := open(t, nil, hosts.Config{Credentials: tb.ask})
	for name, do := range map[string]func(x *hosts.Request, s *hosts.Session) error{
		"save":    func(x *hosts.Request, s *hosts.Session) error { s.Data["n"] = 2; return m.Save(x, s) },
		"set":     func(x *hosts.Request, s *hosts.Session) error { return m.Set(x, s.ID, "n", 2) },
		"take":    func(x *hosts.Request, s *hosts.Session) error { _, err := m.Take(x, s.ID, "n"); return err },
		"renew":   func(x *hosts.Request, s *hosts.Session) error { return m.Renew(x, s) },
		"confirm": func(x *hosts.Request, s *hosts.Session) error { return m.Confirm(x, s, "otp") },
		"refresh": func(x *hosts.Request, s *hosts.Session) error { return m.Refresh(x, s.ID) },
	} {
		tb.set("ann", "hash 1")
		ann := newBrowser()
		id := tb.enter(m, ann, "ann").ID
		require.NoError(t, m.Set(t.Context(), id, "n", 1))
		x := ann.ask(m)
		s, err := m.GetSessionFromCookie(x)
		require.NoError(t, err)
		tb.set("ann", "hash 2")
		m.clock.pass(time.Hour)
		require.NoError(t, m.Save(x, s), "a use is noted")
		require.ErrorIs(t, do(x, s), core.ErrCredentialsChanged, name)
		m.gone(id)
	}
	tb.set("ann", "hash 1")
	id := tb.enter(m, newBrowser(), "ann").ID
	tb.set("ann", "hash 2")
	require.NoError(t, m.Set(t.Context(), id, "n", 1), "a program is no visitor")
}

func TestCredentialsAreKeptForSoLong(t *testing.T) {
	tb := newTable("ann")
	m := open(t, nil, hosts.Config{Credentials: tb.ask, CredentialsCache: time.Minute})
	ann, phone := newBrowser(), newBrowser()
	tb.enter(m, ann, "ann")
	tb.enter(m, phone, "ann")
	asked := tb.asks()
	for range 3 {
		_, err := ann.session(m)
		require.NoError(t, err)
	}
	require.Equal(t, asked, tb.asks())
	require.NoError(t, tb.changes(m, ann, "ann", "hash 2")) // a stamp that was given asks anew
	_, err := ann.session(m)
	require.NoError(t, err)
	_, err = phone.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged, "which this server knows from then on")

	tb.set("ann", "hash 3")
	_, err = ann.session(m)
	require.NoError(t, err, "the old one may go on for the time stated")
	m.clock.pass(-time.Hour) // a clock that was set back makes that no longer
	_, err = ann.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)

	tb.enter(m, ann, "ann")
	tb.set("ann", "hash 4")
	m.clock.pass(time.Minute)
	_, err = ann.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)

	for field, c := range map[string]hosts.Config{
		"CredentialsCache": {CredentialsCache: time.Second},
		"-1s":              {Credentials: tb.ask, CredentialsCache: -time.Second},
		"1h0m0s":           {Credentials: tb.ask, CredentialsCache: time.Hour + 1},
	} {
		c.Key = key
		_, err := hosts.New(memory(t), c)
		require.ErrorContains(t, err, field)
	}
}

// A clock that is set back comes past the same moments once more.
func TestACachedStampIsNoOlderThanStated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := newTable("ann")
		m := open(t, nil, hosts.Config{Credentials: tb.ask, CredentialsCache: time.Minute, Lifetime: 24 * time.Hour})
		ann := newBrowser()
		tb.enter(m, ann, "ann")
		tb.set("ann", "hash 2")
		<-time.After(time.Hour) // while the clock was set back by as much
		_, err := ann.session(m)
		require.ErrorIs(t, err, core.ErrCredentialsChanged)
	})
}

// A commit goes on where the visitor has left: else the new password would be in the table, and
// the visitor logged out.
func TestAnAbortedChangeOfPasswordIsStored(t *testing.T) {
	tb := newTable("ann")
	var leave atomic.Pointer[context.CancelFunc]
	m := open(t, nil, hosts.Config{Credentials: func(ctx context.Context, tenant, user string) (string, error) {
		if cancel := leave.Swap(nil); cancel != nil {
			(*cancel)()
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
		return tb.ask(ctx, tenant, user)
	}})
	ann := newBrowser()
	id := tb.enter(m, ann, "ann").ID
	ctx, cancel := context.WithCancel(t.Context())
	x := ann.asking(ctx, m.Manager)
	s, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	tb.set("ann", "hash 2")
	cancel()
	require.NoError(t, m.RenewWith(x, s, "hash 2"))
	s, err = ann.session(m)
	require.NoError(t, err)
	require.Equal(t, id, s.ID)

	ctx, cancel = context.WithCancel(t.Context())
	leave.Store(&cancel)
	_, err = m.GetSessionFromCookie(ann.asking(ctx, m.Manager))
	require.ErrorIs(t, err, hosts.ErrCredentials)
	require.Zero(t, m.Stats().Failures, "a visitor who left says nothing of the function")
}

// A logout is final also where the session is one whose credentials have changed: the request
// that has changed them does not begin it anew.
func TestALogoutBesideAChangeOfPassword(t *testing.T) {
	tb := newTable("ann")
	m := open(t, nil, hosts.Config{Credentials: tb.ask})
	ann := newBrowser()
	tb.enter(m, ann, "ann")
	x := ann.ask(m)
	s, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	tb.set("ann", "hash 2")
	tab := ann.clone()
	_, err = tab.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	out := tab.ask(m)
	_, err = m.Resume(out)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	m.New(out)
	require.NoError(t, m.EndSession(out))
	require.ErrorIs(t, m.RenewWith(x, s, "hash 2"), core.ErrEnded)
	require.Empty(t, m.sessionsOf("ann"))
}
