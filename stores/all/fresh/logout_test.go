package fresh

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/hosts"
)

// leastShare of the answers that show a session comes from a cache, in peace. It is 0.95
// and more where the machine has time to ask the feed; others of its tests may run now.
const leastShare = 0.9

// backend is a store that several processes share.
type backend struct {
	name   string
	open   func(t *testing.T) string // its name
	remote bool                      // it is reached by TCP
	driver string                    // of package database/sql, to hold transactions open
}

var backends = []backend{
	{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "s.db") }, false, ""},
	{"redis", func(t *testing.T) string { return servers.Redis(t) }, true, ""},
	{"postgres", func(t *testing.T) string { return servers.Postgres(t) }, true, "pgx"},
	{"mysql", func(t *testing.T) string { return servers.MySQL(t) }, true, "mysql"},
}

// fleet starts three processes with caches, each with a way of its own to the server.
func (b backend) fleet(t *testing.T, store string) (fleet []*process, ways []*conformance.Proxy) {
	for range 3 {
		name := store
		if b.remote {
			u, err := url.Parse(store)
			require.NoError(t, err)
			way, err := conformance.NewProxy(u.Host)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, way.Close()) })
			ways = append(ways, way)
			u.Host = way.Addr()
			name = u.String()
		}
		fleet = append(fleet, start(t, "-store", name, "-cache", "8388608"))
	}
	return fleet, ways
}

// TestLogoutsAreFinalEverywhere: three processes answer reads from their caches, and no
// answer that began after a logout was acknowledged shows the session; first in peace,
// and then with each kind of fault.
func TestLogoutsAreFinalEverywhere(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			store := b.open(t)
			fleet, ways := b.fleet(t, store)
			t.Run("in peace", func(t *testing.T) { peace(t, fleet) })
			t.Run("processes stopped and killed", func(t *testing.T) { play(t, fleet, stopAndKill) })
			t.Run("a clock set back and forth", func(t *testing.T) { play(t, fleet, setClock(ways)) })
			if b.remote {
				t.Run("connections cut and slowed", func(t *testing.T) { play(t, fleet, cutAndSlow(ways)) })
			}
			if b.driver != "" {
				t.Run("transactions held open", func(t *testing.T) { play(t, fleet, holdOpen(t, b.driver, store)) })
			}
		})
	}
}

// peaceRounds is how often the phase in peace is played until the caches answer as many
// reads as they should: on a busy machine they hear of changes late, and reads ask the store.
const peaceRounds = 5

func peace(t *testing.T, fleet []*process) {
	quiet := func(_ *story, enough func(), _ <-chan struct{}) { enough() }
	(&story{t: t, fleet: fleet}).play(visitors(t), quiet) // the caches begin
	share := 0.0
	for round := 0; round < peaceRounds && share < leastShare; round++ {
		share = peaceful(t, fleet, quiet)
	}
	require.GreaterOrEqual(t, share, leastShare)
}

// peaceful plays one phase in which no call fails, and returns which share of the answers
// that were signed in came from a cache.
func peaceful(t *testing.T, fleet []*process, quiet fault) (share float64) {
	before, doubtsBefore := hits(fleet)
	s := play(t, fleet, quiet)
	all, doubts := hits(fleet)
	share = float64(all-before) / float64(s.signedIn.Load())
	t.Logf("%.1f %% of the answers that were signed in came from a cache", 100*share)
	for i, n := range doubts {
		if n -= doubtsBefore[i]; n > 0 {
			t.Logf("%d reads asked the store: %v", n, hosts.Doubt(i))
		}
	}
	require.Zero(t, s.failed.Load())
	return share
}

// carelessRounds is how often a test plays until it sees what is to be seen: on a busy
// machine the others have often heard of a logout before they are asked again.
const carelessRounds = 8

// TestALogoutThatDoesNotWaitIsSeen: a process that knows nothing of caches.
func TestALogoutThatDoesNotWaitIsSeen(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			store := b.open(t)
			fleet, _ := b.fleet(t, store)
			fleet[2] = start(t, "-store", store, "-careless")
			s := &story{t: t, fleet: fleet}
			for range carelessRounds {
				s.play(logouts(t), func(_ *story, enough func(), _ <-chan struct{}) { enough() })
				if s.late.Load() > 0 {
					break
				}
			}
			s.print()
			require.NotZero(t, s.late.Load())
		})
	}
}
