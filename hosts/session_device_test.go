package hosts_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// kind is what stands before the version.
func kind(userAgent string) string {
	name, _, _ := strings.Cut(userAgent, "/")
	return name
}

// searched counts the searches of a store, and those that say that a login makes them.
type searched struct {
	hosts.Store
	finds, marked *atomic.Int64
}

func (s searched) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	s.finds.Add(1)
	if hosts.IsLoginSearch(ctx) {
		s.marked.Add(1)
	}
	return s.Store.(hosts.Finder).Find(ctx, q, after, limit)
}

func (s *site) newDevices() (told []string) {
	s.t.Helper()
	require.NoError(s.t, s.Close())
	for _, e := range s.told {
		if e.Kind == hosts.EventNewDevice {
			told = append(told, fmt.Sprint(e.Tenant, e.User, " ", e.UserAgent, " ", e.IP, " ", e.Count))
		}
	}
	return told
}

func TestNewDevices(t *testing.T) {
	for _, most := range []int{0, 10} {
		var finds, marked atomic.Int64
		m := open(t, searched{memory(t), &finds, &marked}, hosts.Config{DeviceOf: kind, MaxPerUser: most})
		with := func(agent, tenant string) *browser {
			b := newBrowser()
			b.agent, b.tenant = agent, tenant
			return b
		}
		fox := with("Fox/1", "")
		fox.login(m, "ann")                // the first
		with("Fox/2", "").login(m, "ann")  // another version
		with("Moon/1", "").login(m, "ann") // another browser
		with("Moon/1", "").login(m, "ben")
		with("Moon/1", "shop-").login(m, "ann")
		require.EqualValues(t, 5, finds.Load(), "one search per login, whatever it is for")
		require.EqualValues(t, 5, marked.Load(), "the store may answer it by a hint")
		fox.agent = "Moon/1"
		fox.login(m, "ann") // who has the session already
		fox.agent = "Sun/1"
		fox.login(m, "ann")
		_, err := fox.session(m)
		require.NoError(t, err)
		before := finds.Load()
		for range 3 {
			_, err := fox.session(m)
			require.NoError(t, err)
		}
		require.Equal(t, before, finds.Load())
		m.clock.pass(25 * time.Hour)
		with("Fox/3", "").login(m, "ann") // none is live
		require.Equal(t, []string{
			"ann Fox/1 192.0.2.7 0", "ann Moon/1 192.0.2.7 2", "ben Moon/1 192.0.2.7 0", "shop-ann Moon/1 192.0.2.7 0", "ann Fox/3 192.0.2.7 0",
		}, m.newDevices())
	}
}

// TestNewDevicesWhileTheStoreIsDown: the login stands, and the failure is reported.
func TestNewDevicesWhileTheStoreIsDown(t *testing.T) {
	var down atomic.Bool
	m := open(t, blind{memory(t), &down}, hosts.Config{DeviceOf: kind})
	down.Store(true)
	newBrowser().login(m, "ann")
	down.Store(false)
	require.Len(t, m.sessionsOf("ann"), 1)
	require.Empty(t, m.newDevices())
	require.Contains(t, m.log.String(), "list sessions: session store is unavailable: down")
}

func TestDevicesThatCannotBeKnown(t *testing.T) {
	_, err := hosts.New(struct{ hosts.Store }{memory(t)}, hosts.Config{Key: key, DeviceOf: kind, OnEvent: func(hosts.Event) {}})
	require.ErrorContains(t, err, "which cannot list a user's sessions")
	_, err = hosts.New(memory(t), hosts.Config{Key: key, DeviceOf: kind})
	require.ErrorContains(t, err, "nothing without OnEvent or Logger")
}

// A session that begins anew since its user has changed their password is on the device that
// it was on.
func TestAChangeOfPasswordIsNoNewDevice(t *testing.T) {
	tb := newTable("ann")
	m := open(t, nil, hosts.Config{Credentials: tb.ask, DeviceOf: func(string) string { return "any" }})
	ann := newBrowser()
	old := tb.enter(m, ann, "ann").ID
	x := ann.ask(m)
	s, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	tb.set("ann", "hash 2")
	_, err = ann.clone().session(m)
	require.ErrorIs(t, err, core.ErrCredentialsChanged)
	require.NoError(t, m.RenewWith(x, s, "hash 2"))
	require.NotEqual(t, old, s.ID)
	require.Len(t, m.events(hosts.EventNewDevice), 1, "of the login")
}
