package fresh

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

const (
	hammerers = 4                     // of each visitor's cookie
	retry     = 10 * time.Millisecond // after a request that failed
	warm      = 500 * time.Millisecond
	shown     = 3                      // late answers that are logged one by one
	after     = 200 * time.Millisecond // for which they go on after the logout
)

// logouts is how many each phase makes.
func logouts(t *testing.T) int { return soak.Rounds(t, 8, 500) }

// visitors are there at once.
func visitors(t *testing.T) int { return soak.Rounds(t, 6, 16) }

// between is the longest pause of one that hammers. The long form leaves the processors no rest.
func between() time.Duration {
	if soak.On() {
		return 20 * time.Millisecond
	}
	return 120 * time.Millisecond
}

// fault makes trouble until end is closed. It calls enough when each kind of it has been
// there: a phase lasts at least until then.
type fault func(s *story, enough func(), end <-chan struct{})

// story is what a phase saw.
type story struct {
	t        *testing.T
	fleet    []*process
	logouts  atomic.Int64
	signedIn atomic.Int64 // answers that showed a session
	late     atomic.Int64 // of those, begun after its logout was acknowledged
	refused  atomic.Int64
	failed   atomic.Int64 // no answer, or an error
	faults   atomic.Int64

	mu   sync.Mutex
	live map[string]*visit // by user
}

// visit is one session from its login to its end.
type visit struct {
	began time.Time
	over  atomic.Int64 // nanoseconds since then after which no answer that begins shows it
}

// endsBy has no answer show the session that begins later.
func (v *visit) endsBy(at time.Time) {
	over := int64(at.Sub(v.began))
	for was := v.over.Load(); over < was && !v.over.CompareAndSwap(was, over); was = v.over.Load() {
	}
}

func (s *story) note(user string, v *visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.live = make(map[string]*visit)
	}
	if s.live[user] = v; v == nil {
		delete(s.live, user)
	}
}

// some returns users who are signed in, in any order.
func (s *story) some(n int) (users []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user := range s.live {
		users = append(users, user)
	}
	rand.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	return slices.Clip(users[:min(n, len(users))])
}

func (s *story) visitOf(user string) *visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[user]
}

func (s *story) pick() *process { return s.fleet[rand.IntN(len(s.fleet))] }

// post asks until there is an answer. A path that is refused may have been carried out
// by a request whose answer was lost: then the visitor only logs out.
func (s *story) post(c *http.Client, path, cookie string) (set string) {
	for {
		_, set, err := call(c, s.pick(), "POST", path, cookie)
		if err == nil {
			return set
		}
		s.failed.Add(1)
		if cookie != "" {
			path = "/logout"
		}
		<-time.After(retry)
	}
}

// visit begins and ends a session: others hammer its cookie all the while.
func (s *story) visit(c *http.Client, user string) {
	cookie := s.post(c, "/login?user="+user, "")
	v := &visit{began: time.Now()}
	v.over.Store(math.MaxInt64)
	s.note(user, v)
	defer s.note(user, nil)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range hammerers {
		all.Go(func() {
			for !wait(stop, rand.N(between())) {
				s.read(c, v, user, cookie)
			}
		})
	}
	<-time.After(warm + time.Duration(rand.IntN(200))*time.Millisecond)
	s.post(c, []string{"/logout", "/everywhere"}[rand.IntN(2)], cookie)
	v.endsBy(time.Now())
	s.logouts.Add(1)
	<-time.After(after)
	close(stop)
	all.Wait()
}

func (s *story) read(c *http.Client, v *visit, user, cookie string) {
	begun := time.Since(v.began)
	body, _, err := call(c, s.pick(), "GET", "/who", cookie)
	switch {
	case err != nil:
		s.failed.Add(1)
	case !strings.HasPrefix(body, user+" "):
		s.refused.Add(1)
	default:
		s.signedIn.Add(1)
		if over := v.over.Load(); int64(begun) > over && s.late.Add(1) <= shown {
			s.t.Logf("%s is signed in by an answer that began %v after the end", user, begun-time.Duration(over))
		}
	}
}

// play has visitors come and go until there were enough logouts, and enough of the fault.
func (s *story) play(n int, f fault) {
	var all, trouble sync.WaitGroup
	var next atomic.Int64
	end, enough := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(enough) })
	trouble.Go(func() { defer once(); f(s, once, end) })
	for range visitors(s.t) {
		all.Go(func() {
			c := client()
			defer c.CloseIdleConnections()
			for {
				i := next.Add(1)
				if i > int64(n) && wait(enough, 0) {
					return
				}
				s.visit(c, fmt.Sprint("user", i))
			}
		})
	}
	all.Wait()
	close(end)
	trouble.Wait()
}

// play is one phase: no answer is late.
func play(t *testing.T, fleet []*process, f fault) *story {
	s := &story{t: t, fleet: fleet}
	s.play(logouts(t), f)
	s.print()
	require.Zero(t, s.late.Load())
	return s
}

// wait reports whether it is over.
func wait(end <-chan struct{}, d time.Duration) bool {
	select {
	case <-end:
		return true
	case <-time.After(d):
	}
	select {
	case <-end:
		return true
	default:
		return false
	}
}

// hits returns how many reads the caches answered, and how many not, by the cause.
func hits(fleet []*process) (n uint64, doubts [hosts.Doubts]uint64) {
	for _, p := range fleet {
		stats := p.stats()
		n += stats.Hits
		for i, d := range stats.Doubts {
			doubts[i] += d
		}
	}
	return n, doubts
}

func (s *story) print() {
	s.t.Logf("%d logouts, %d faults, %d answers signed in, %d refused, %d failed; begun after the acknowledgement and signed in: %d",
		s.logouts.Load(), s.faults.Load(), s.signedIn.Load(), s.refused.Load(), s.failed.Load(), s.late.Load())
}
