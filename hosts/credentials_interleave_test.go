package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// Calls of the application's table of users, which are scheduled as those of the store.
const (
	reading conformance.Verb = "read table"
	writing conformance.Verb = "write table"
)

// rival is a request that comes while the own browser changes the password.
type rival struct {
	name string
	own  bool // of the browser that changes it
	ends bool // it logs out
	do   func(m *hosts.Manager, x *hosts.Request) error
}

func rivals() []rival {
	read := func(m *hosts.Manager, x *hosts.Request) error { _, err := m.GetSessionFromCookie(x); return err }
	set := func(m *hosts.Manager, x *hosts.Request) error {
		s, err := m.GetSessionFromCookie(x)
		if err != nil {
			return err
		}
		s.Data["theirs"] = 1
		return m.Save(x, s)
	}
	logout := func(m *hosts.Manager, x *hosts.Request) error {
		s, err := m.GetSessionFromCookie(x)
		if err != nil {
			return err
		}
		return m.Destroy(x, s.ID)
	}
	return []rival{{"own read", true, false, read}, {"own set", true, false, set}, {"own logout", true, true, logout},
		{"other read", false, false, read}, {"other set", false, false, set}}
}

// TestEveryInterleavingOfAPasswordChange: while the own browser changes the password,
// another request of it, or of another browser, comes at every moment. The own browser
// stays signed in, with its values, and the other is out.
func TestEveryInterleavingOfAPasswordChange(t *testing.T) {
	for _, r := range rivals() {
		t.Run(r.name, func(t *testing.T) {
			runs := everySchedule(t, func(choose func(int) int) {
				synctest.Test(t, func(t *testing.T) { changeBeside(t, r, choose) })
			})
			t.Log(runs, "schedules")
			require.Greater(t, runs, 10)
		})
	}
}

// changeBeside plays one schedule.
func changeBeside(t *testing.T, r rival, choose func(int) int) {
	store, err := cachestore.Open(cachestore.Options{MaxBytes: cachestore.LeastMaxBytes})
	require.NoError(t, err)
	g := &gate{Store: store, open: true, wake: make(chan struct{}, 1)}
	tb := newTable("ann")
	m := open(t, g, hosts.Config{Clock: newClock(), Credentials: func(ctx context.Context, tenant, user string) (stamp string, err error) {
		err = g.pass(ctx, reading, func() (e error) { stamp, e = tb.ask(ctx, tenant, user); return e })
		return stamp, err
	}})
	own, phone := newBrowser(), newBrowser()
	id := tb.enter(m, own, "ann").ID
	tb.enter(m, phone, "ann")
	require.NoError(t, m.Set(t.Context(), id, "mine", 1))
	other := own.clone()
	if !r.own {
		other = phone
	}
	var changed, theirs error
	trace := g.together(2, 0, choose, func(ctx context.Context, who int) {
		if who == 1 {
			theirs = r.do(m.Manager, other.asking(ctx, m.Manager))
			return
		}
		x := own.asking(ctx, m.Manager)
		s, err := m.GetSessionFromCookie(x)
		if err == nil {
			_ = g.pass(ctx, writing, func() error { tb.set("ann", "hash 2"); return nil })
			err = m.RenewWith(x, s, "hash 2")
		}
		changed = err
	})
	what := fmt.Sprint(r.name, ": ", trace, changed, ", ", theirs)
	require.True(t, theirs == nil || isAny(theirs, core.ErrCredentialsChanged, core.ErrSuperseded) || r.ends, what)
	if r.ends && changed != nil {
		require.True(t, isAny(changed, core.ErrEnded, core.ErrNotFound), what)
		return
	}
	require.NoError(t, changed, what)
	_, err = phone.session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged, what)
	s, err := own.session(m)
	if r.ends && errors.Is(err, core.ErrNotFound) { // the logout came after the change, with the cookie from before
		return
	}
	require.NoError(t, err, what)
	require.Equal(t, 1, s.Data["mine"], what)
}
