package hosts_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func TestCleanupAtTheBoundary(t *testing.T) {
	for _, k := range backends {
		t.Run(k.name, func(t *testing.T) {
			store, _ := k.open(t)
			m := open(t, store, hosts.Config{Retention: 10 * time.Minute, NoCleanup: true})
			old := m.signedIn(3, "ann")
			m.clock.pass(time.Millisecond)
			young := newBrowser()
			id := young.login(m, "ben").ID
			swept := func(want int) {
				t.Helper()
				n, err := m.CleanupExpired(t.Context())
				require.NoError(t, err)
				require.Equal(t, want, n)
			}
			m.clock.pass(24*time.Hour - time.Millisecond)
			swept(0) // the old ones expire now
			_, err := m.Load(t.Context(), old[0])
			require.ErrorIs(t, err, core.ErrExpired, "the reason can be told")
			_, err = young.session(m)
			require.NoError(t, err)
			m.clock.pass(10 * time.Minute)
			swept(0)
			m.clock.pass(time.Millisecond)
			swept(3)
			_, err = m.Load(t.Context(), old[0])
			require.ErrorIs(t, err, core.ErrNotFound)
			_, err = m.Load(t.Context(), id)
			require.ErrorIs(t, err, core.ErrExpired)
			swept(0)
			m.clock.pass(time.Millisecond)
			swept(1)
		})
	}
}

// A session that is used and refreshed all the time survives every sweep.
func TestCleanupSparesTheLiving(t *testing.T) {
	m := open(t, nil, hosts.Config{IdleTimeout: 10 * time.Minute, Retention: time.Second, NoCleanup: true})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	for range 500 {
		m.clock.pass(9 * time.Minute)
		_, err := m.CleanupExpired(t.Context())
		require.NoError(t, err)
		n, err := ann.session(m)
		require.NoError(t, err)
		require.Equal(t, id, n.ID)
		x := ann.ask(m)
		require.NoError(t, m.Refresh(x, id))
		x.Close()
	}
}

func TestCleanupOfManyAndItsErrors(t *testing.T) {
	calls, broken := 0, false
	store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
		if verb == conformance.Sweep {
			if calls++; broken && calls > 1 {
				return conformance.Fail
			}
		}
		return conformance.Pass
	})
	m := open(t, store, hosts.Config{NoCleanup: true})
	m.signedIn(2100, "ann")
	m.clock.pass(26 * time.Hour)
	broken = true
	n, err := m.CleanupExpired(t.Context())
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.Equal(t, 1000, n)
	broken, calls = false, 0
	n, err = m.CleanupExpired(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1100, n)
	require.Equal(t, 2, calls, "fewer than a batch means that none are left")
	told := m.events(hosts.EventSwept)
	require.Len(t, told, 2)
	require.Equal(t, 1000, told[0].Count)
	require.ErrorIs(t, told[0].Err, hosts.ErrUnavailable)
	require.Equal(t, 1100, told[1].Count)
	require.NoError(t, told[1].Err)
}

// The manager sweeps by itself, every interval, until it is closed. The bubble
// fails the test if a goroutine is left.
func TestAutomaticCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		swept := make(chan hosts.Event, 100)
		c := hosts.Config{Key: key, Clock: newClock(), CleanupInterval: 10 * time.Minute, OnEvent: func(e hosts.Event) {
			if e.Kind == hosts.EventSwept {
				swept <- e
			}
		}}
		m := open(t, nil, c)
		m.signedIn(3, "ann")
		began := time.Now()
		require.Zero(t, (<-swept).Count)
		require.Equal(t, 10*time.Minute, time.Since(began))
		m.clock.pass(26 * time.Hour)
		require.Equal(t, 3, (<-swept).Count)
		require.Equal(t, 20*time.Minute, time.Since(began))
		require.NoError(t, m.Close())
		<-time.After(time.Hour)
		require.Empty(t, swept)
		require.Zero(t, goroutinesIn("hosts.(*"))
	})
}

func TestCleanupThatFailsIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := true
		store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
			if verb == conformance.Sweep && fail {
				fail = false
				return conformance.Fail
			}
			return conformance.Pass
		})
		swept := make(chan hosts.Event, 10)
		m := open(t, store, hosts.Config{OnEvent: func(e hosts.Event) { swept <- e }})
		for _, kind := range []hosts.EventKind{hosts.EventFailed, hosts.EventSwept} {
			e := <-swept
			require.Equal(t, kind, e.Kind)
			require.ErrorIs(t, e.Err, hosts.ErrUnavailable)
		}
		require.NoError(t, (<-swept).Err)
		require.Equal(t, 1, m.log.count("sessions: session store failed"))
	})
}

// Close does not wait for a store that hangs, may be called often and at once,
// and leaves nothing running.
func TestCloseDuringCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
			if verb == conformance.Sweep {
				return conformance.Hang
			}
			return conformance.Pass
		})
		m := open(t, store, hosts.Config{CleanupInterval: time.Second})
		<-time.After(1500 * time.Millisecond)
		require.Equal(t, 1, goroutinesIn("sweepEvery("))
		began := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _ = m.Close() })
		}
		all.Wait()
		require.Zero(t, time.Since(began))
		require.Zero(t, goroutinesIn("hosts.(*"))
		require.NoError(t, m.Close())
		require.NotContains(t, m.log.String(), "session store failed", "it was told to stop")
		id := newBrowser().login(m, "ann").ID // a request that is still running
		m.data(id)
	})
}

func TestNoCleanupStartsNothing(t *testing.T) {
	c := hosts.Config{Key: key, NoCleanup: true}
	m, err := hosts.New(memory(t), c)
	require.NoError(t, err)
	require.Zero(t, goroutinesIn("sweepEvery("))
	require.NoError(t, m.Close())
}
