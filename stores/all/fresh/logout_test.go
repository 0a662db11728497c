package fresh

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/internal/soak"
)

const (
	visitors  = 8 // at once
	hammerers = 4 // of each visitor's cookie
	warm      = 500 * time.Millisecond
	after     = 200 * time.Millisecond // for which they go on after the logout
)

// logouts is how many each test makes.
func logouts(t *testing.T) int { return soak.Rounds(t, 24, 500) }

// backend is a store that several processes share.
type backend struct {
	name string
	open func(t *testing.T) string // its name
}

var backends = []backend{
	{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "s.db") }},
	{"redis", func(t *testing.T) string { return servers.Redis(t) }},
	{"postgres", func(t *testing.T) string { return servers.Postgres(t) }},
	{"mysql", func(t *testing.T) string { return servers.MySQL(t) }},
}

// story is what a test saw.
type story struct {
	t        *testing.T
	fleet    []*process
	logouts  atomic.Int64
	signedIn atomic.Int64 // answers that showed a session
	late     atomic.Int64 // of those, begun after its logout was acknowledged
	refused  atomic.Int64
	failed   atomic.Int64 // no answer, or an error
}

// visit is one session from its login to its end: others hammer its cookie all the while.
func (s *story) visit(c *http.Client, user string) {
	pick := func() *process { return s.fleet[rand.IntN(len(s.fleet))] }
	_, cookie, err := call(c, pick(), "POST", "/login?user="+user, "")
	if err != nil || cookie == "" {
		s.failed.Add(1)
		return
	}
	var acknowledged atomic.Int64 // nanoseconds since start, or zero
	start := time.Now()
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range hammerers {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rand.IntN(10)) * time.Millisecond):
				}
				begun := time.Since(start)
				body, _, err := call(c, pick(), "GET", "/who", cookie)
				acked := acknowledged.Load()
				switch {
				case err != nil:
					s.failed.Add(1)
				case !strings.HasPrefix(body, user+" "):
					s.refused.Add(1)
				default:
					s.signedIn.Add(1)
					if acked != 0 && int64(begun) > acked {
						s.late.Add(1)
					}
				}
			}
		})
	}
	<-time.After(warm + time.Duration(rand.IntN(200))*time.Millisecond)
	path := []string{"/logout", "/everywhere"}[rand.IntN(2)]
	for {
		_, _, err := call(c, pick(), "POST", path, cookie)
		if err == nil {
			break
		}
		s.failed.Add(1)
		path = "/logout" // who is out already is not known to be signed in
	}
	acknowledged.Store(int64(time.Since(start)))
	s.logouts.Add(1)
	<-time.After(after)
	close(stop)
	all.Wait()
}

// play has visitors come and go until there were enough logouts.
func (s *story) play(n int) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range visitors {
		all.Go(func() {
			c := client()
			defer c.CloseIdleConnections()
			for {
				i := next.Add(1)
				if i > int64(n) {
					return
				}
				s.visit(c, fmt.Sprint("user", i))
			}
		})
	}
	all.Wait()
}

// faults stops and kills processes until it is told to end.
func (s *story) faults(end <-chan struct{}) {
	for {
		p := s.fleet[rand.IntN(len(s.fleet))]
		if rand.IntN(2) == 0 {
			p.signal(syscall.SIGSTOP)
			wait(end, 2*time.Second)
			p.signal(syscall.SIGCONT)
		} else {
			p.kill()
			if !assert.NoError(s.t, p.run()) {
				return
			}
		}
		if wait(end, time.Duration(500+rand.IntN(1500))*time.Millisecond) {
			return
		}
	}
}

// wait reports whether it is over.
func wait(end <-chan struct{}, d time.Duration) bool {
	select {
	case <-end:
		return true
	case <-time.After(d):
		return false
	}
}

// hits returns how many reads the caches answered.
func (s *story) hits() (n uint64) {
	for _, p := range s.fleet {
		n += p.stats().Hits
	}
	return n
}

func (s *story) print(name string) {
	s.t.Logf("%s: %d logouts, %d answers signed in, %d refused, %d failed; begun after the acknowledgement and signed in: %d",
		name, s.logouts.Load(), s.signedIn.Load(), s.refused.Load(), s.failed.Load(), s.late.Load())
}

// TestLogoutsAreFinalEverywhere: three processes answer reads from their caches, and no
// answer that began after a logout was acknowledged shows the session; first in peace,
// and then while processes are stopped and killed. A process that does not wait is seen.
func TestLogoutsAreFinalEverywhere(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			store := b.open(t)
			s := &story{t: t}
			for range 3 {
				s.fleet = append(s.fleet, start(t, "-store", store, "-cache", "8388608"))
			}
			s.play(logouts(t))
			s.print("in peace")
			share := float64(s.hits()) / float64(s.signedIn.Load())
			t.Logf("%.1f %% of the answers that were signed in came from a cache", 100*share)
			require.Zero(t, s.late.Load())
			require.Zero(t, s.failed.Load())
			require.GreaterOrEqual(t, share, 0.9)

			end := make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() { s.faults(end) })
			s.play(logouts(t))
			close(end)
			all.Wait()
			s.print("with faults")
			require.Zero(t, s.late.Load())
		})
	}
}

// TestALogoutThatDoesNotWaitIsSeen: a process that knows nothing of caches.
func TestALogoutThatDoesNotWaitIsSeen(t *testing.T) {
	store := backends[0].open(t)
	s := &story{t: t}
	for range 2 {
		s.fleet = append(s.fleet, start(t, "-store", store, "-cache", "8388608"))
	}
	s.fleet = append(s.fleet, start(t, "-store", store, "-careless"))
	s.play(logouts(t))
	s.print("with one that does not wait")
	require.NotZero(t, s.late.Load())
}
