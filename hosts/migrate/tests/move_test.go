package tests

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// move takes signed-in visitors through a rolling deploy and out of it.
func move(t *testing.T, old *server) {
	visitors := soak.Rounds(t, 200, 1000)
	f := newFleet(t)
	jars := make([]jar, visitors)
	for n := range jars {
		jars[n] = jar{}
		require.Equal(t, user(n), jars[n].get(t, old.handler, fmt.Sprint("/login/", n)))
	}
	before := make([]jar, visitors)
	for n := range jars {
		before[n] = jars[n].clone()
	}

	// Servers of both kinds answer: the visitor's next server is any of them.
	rolling := []http.Handler{old.handler, f.open(t, old, true), f.open(t, old, true)}
	each(jars, func(n int, j jar) {
		for visit := range 4 {
			path := []string{"/", "/touch"}[(n+visit)%2]
			if got := j.get(t, rolling[(n+visit)%len(rolling)], path); got != user(n) {
				t.Errorf("visitor %d, visit %d, during the deploy: signed in as %q", n, visit, got)
			}
		}
	})
	require.False(t, t.Failed())

	// Back again: all servers have the old code for a while.
	each(jars, func(n int, j jar) {
		if got := j.get(t, old.handler, "/"); got != user(n) {
			t.Errorf("visitor %d, after the way back: signed in as %q", n, got)
		}
	})

	if !old.refuses { // a cookie without a store is a new one with each Save: those that no new server has seen stay good
		for n := range jars {
			before[n] = jar{old.cookie: jars[n][old.cookie]}
		}
	}

	// The new code alone. The old cookies go as soon as ours are seen.
	after := []http.Handler{f.open(t, old, false), f.open(t, old, false)}
	each(jars, func(n int, j jar) {
		for visit := range 3 {
			if got := j.get(t, after[(n+visit)%2], "/"); got != user(n) {
				t.Errorf("visitor %d, visit %d, after the deploy: signed in as %q", n, visit, got)
			}
		}
		if _, there := j[old.cookie]; there {
			t.Errorf("visitor %d has the old cookie still", n)
		}
	})
	require.Zero(t, old.kept(), "sessions left in the old store")

	leave(t, jars, before, after)
	t.Run("several at once", func(t *testing.T) { atOnce(t, old, f, after) })
	t.Run("logout", func(t *testing.T) { logout(t, old, f) })
	t.Run("expired", func(t *testing.T) { expired(t, old, f) })
}

// Whoever signs out is signed out everywhere, with any cookie of before.
func leave(t *testing.T, jars, before []jar, after []http.Handler) {
	each(jars[:len(jars)/4], func(n int, j jar) {
		ours := j.clone()
		j.get(t, after[n%2], "/logout")
		for _, replayed := range []jar{j, ours, before[n].clone()} {
			for _, h := range after {
				if got := replayed.get(t, h, "/"); got != "" {
					t.Errorf("visitor %d is signed in as %q after the logout", n, got)
				}
			}
		}
	})
	for n, j := range jars[len(jars)/4:] {
		require.Equal(t, user(len(jars)/4+n), j.get(t, after[0], "/"), "others stay")
	}
}

func user(n int) string { return fmt.Sprint("user", n) }

// each visits with eight browsers at a time.
func each(jars []jar, visit func(n int, j jar)) {
	var all sync.WaitGroup
	for first := range 8 {
		all.Go(func() {
			for n := first; n < len(jars); n += 8 {
				visit(n, jars[n])
			}
		})
	}
	all.Wait()
}

// Six first requests at once make one session, and each answer's cookie opens it.
func atOnce(t *testing.T, old *server, f *fleet, servers []http.Handler) {
	for n := range 30 {
		first := jar{}
		first.get(t, old.handler, fmt.Sprint("/login/", n))
		copies := make([]jar, 6)
		for i := range copies {
			copies[i] = first.clone()
		}
		each(copies, func(i int, j jar) {
			if got := j.get(t, servers[i%2], "/touch"); got != user(n) {
				t.Errorf("request %d: signed in as %q", i, got)
			}
		})
		for _, j := range copies {
			require.Equal(t, user(n), j.get(t, servers[0], "/"))
		}
		copies[0].get(t, servers[0], "/logout")
		for _, j := range copies {
			require.Empty(t, j.get(t, servers[1], "/"), "all cookies are of one session")
		}
	}
}

// A logout ends the old session, too, while old servers run: those that can know it.
func logout(t *testing.T, old *server, f *fleet) {
	s := f.open(t, old, true)
	for _, seen := range []bool{false, true} {
		j := jar{}
		j.get(t, old.handler, "/login/5")
		stolen := j.clone()
		if seen {
			require.Equal(t, user(5), j.get(t, s, "/"))
			require.Equal(t, user(5), j.get(t, s, "/"))
			require.Contains(t, j, old.cookie, "it is kept")
		}
		j.get(t, s, "/logout")
		require.Empty(t, j, "no cookie is left")
		require.Empty(t, stolen.clone().get(t, s, "/"))
		if old.refuses {
			require.Empty(t, stolen.get(t, old.handler, "/"), "an old server takes it still")
		}
	}
}

// What has expired is not moved, and what was moved from it does not outlive it.
func expired(t *testing.T, old *server, f *fleet) {
	s := f.open(t, old, true)
	moved, late := jar{}, jar{}
	moved.get(t, old.handler, "/login/6")
	late.get(t, old.handler, "/login/7")
	require.Equal(t, user(6), moved.get(t, s, "/"))
	f.clock.pass(31 * 24 * time.Hour)
	require.Empty(t, late.get(t, s, "/"))
	require.Empty(t, moved.get(t, s, "/"))
}
