package feed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts/feed"
)

// source answers questions as a test says.
type source struct {
	answer func(ctx context.Context) (feed.Changes, error)
	enable error

	mu                       sync.Mutex
	asked, followed, enabled int
	closed                   int
}

func (s *source) Follow(ctx context.Context) (feed.Follower, error) {
	s.count(&s.followed)
	return s, ctx.Err()
}

func (s *source) Changes(ctx context.Context) (feed.Changes, error) {
	s.count(&s.asked)
	if s.answer == nil {
		return feed.Changes{Caching: true}, nil
	}
	return s.answer(ctx)
}

func (s *source) Close() error { s.count(&s.closed); return nil }

func (s *source) EnableCaching(context.Context) error { s.count(&s.enabled); return s.enable }

func (s *source) CachingState(context.Context) (feed.State, error) { return feed.On, nil }

func (s *source) SetCaching(context.Context, feed.State) error { return nil }

func (s *source) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

func (s *source) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked + s.followed
}

// listener keeps what it heard.
type listener struct {
	mu      sync.Mutex
	changes []feed.Change
	missed  []error
}

func (l *listener) Changed(c []feed.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes = append(l.changes, c...)
}

func (l *listener) Missed(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missed = append(l.missed, why)
}

// use has somebody rely on a poller for so long, and returns how often it was fresh,
// of how many times.
func use(p *feed.Poller, d time.Duration) (fresh, all int) {
	const every = 10 * time.Millisecond
	for range d / every {
		if all++; p.Fresh() {
			fresh++
		}
		<-time.After(every)
	}
	synctest.Wait()
	return fresh, all
}

// pollerTest runs a test in a bubble.
func pollerTest(t *testing.T, s *source, o feed.Options, test func(t *testing.T, p *feed.Poller, l *listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, l := feed.NewPoller(s, o), &listener{}
		p.Listen(l)
		defer p.Close()
		test(t, p, l)
	})
}

// TestPollerRests: at most 8 questions a second in use, none when nobody reads, and
// after a minute no follower. The first use wakes it at once.
func TestPollerRests(t *testing.T) {
	s := &source{}
	pollerTest(t, s, feed.Options{}, func(t *testing.T, p *feed.Poller, _ *listener) {
		<-time.After(time.Hour)
		require.Zero(t, s.questions(), "nobody has used it")
		for range 3 {
			before := s.questions()
			require.False(t, p.Fresh())
			synctest.Wait()
			require.True(t, p.Fresh(), "the first use asks at once")
			fresh, all := use(p, time.Minute)
			require.Equal(t, all, fresh)
			require.LessOrEqual(t, s.questions()-before, 8*60)
			<-time.After(5 * time.Second)
			before = s.questions()
			<-time.After(30 * time.Second)
			require.Equal(t, before, s.questions(), "it rests")
			require.False(t, p.Fresh(), "an answer of before is none")
			synctest.Wait()
			require.True(t, p.Fresh())
			<-time.After(2 * time.Minute)
			synctest.Wait()
		}
		require.Equal(t, 3, s.followed, "it goes on from where it was, for a minute")
		require.Equal(t, 3, s.closed)

		p.Keep()
		before := s.questions()
		<-time.After(time.Minute)
		require.InDelta(t, 400, s.questions()-before, 10)
		p.Release()
		<-time.After(5 * time.Second)
		before = s.questions()
		<-time.After(time.Minute)
		require.Equal(t, before, s.questions())
	})
}

// TestPollerBacksOff while the feed fails, and reports when it is lost and when it is
// back.
func TestPollerBacksOff(t *testing.T) {
	failing := false
	s := &source{answer: func(context.Context) (feed.Changes, error) {
		if failing {
			return feed.Changes{}, errors.New("down")
		}
		return feed.Changes{}, nil
	}}
	pollerTest(t, s, feed.Options{}, func(t *testing.T, p *feed.Poller, _ *listener) {
		var heard []error
		p.Notify(func(err error) { heard = append(heard, err) })
		use(p, time.Second)
		failing = true
		use(p, feed.Lease+feed.Every)
		before := s.questions()
		fresh, _ := use(p, time.Minute)
		require.Zero(t, fresh)
		require.InDelta(t, 32, s.questions()-before, 4, "one in two seconds")
		failing = false
		use(p, 2*time.Second)
		fresh, all := use(p, time.Second)
		require.Equal(t, all, fresh)
		require.Len(t, heard, 2)
		require.ErrorContains(t, heard[0], "down")
		require.NoError(t, heard[1])
		require.Equal(t, 1, s.followed, "after an error the same follower is asked")
		require.Positive(t, p.Stats().Failures)
	})
}

// TestPollerForgetsAfterAGap, before it relies on anything, and follows anew.
func TestPollerForgetsAfterAGap(t *testing.T) {
	many := make([]feed.Change, feed.MaxChanges+1)
	for name, gap := range map[string]feed.Changes{
		"a gap":            {Gap: errors.New("pruned"), Caching: true},
		"too many changes": {Entries: many, Caching: true},
		"no mark":          {},
	} {
		t.Run(name, func(t *testing.T) {
			answer := feed.Changes{Caching: true}
			s := &source{answer: func(context.Context) (feed.Changes, error) { return answer, nil }}
			pollerTest(t, s, feed.Options{Caching: true}, func(t *testing.T, p *feed.Poller, l *listener) {
				use(p, time.Second)
				require.Len(t, l.missed, 1, "the first follower")
				answer = gap
				use(p, feed.Every+10*time.Millisecond)
				require.Len(t, l.missed, 2)
				require.Error(t, l.missed[1])
				require.Empty(t, l.changes, "an answer that is not complete is not passed on")
				require.False(t, p.Fresh())
				require.Equal(t, uint64(1), p.Stats().Gaps)
				require.Negative(t, p.Stats().Age)
				answer = feed.Changes{Caching: true}
				use(p, time.Second)
				require.True(t, p.Fresh())
				require.Len(t, l.missed, 3, "and the next one")
				require.Equal(t, 2, s.followed)
				require.Equal(t, 2, s.enabled)
			})
		})
	}
}

// TestPollerPassesOn what it is told, also what nobody asked for.
func TestPollerPassesOn(t *testing.T) {
	queue := []feed.Change{{ID: numbered(1), Version: 3, Prev: 2}, {ID: numbered(1), Version: 2, Prev: 1}, {ID: numbered(1), Version: 3, Prev: 2}, {}}
	sent := false
	s := &source{answer: func(context.Context) (feed.Changes, error) {
		if sent {
			return feed.Changes{}, nil
		}
		sent = true
		return feed.Changes{Entries: queue}, nil
	}}
	pollerTest(t, s, feed.Options{}, func(t *testing.T, p *feed.Poller, l *listener) {
		use(p, time.Second)
		require.Equal(t, queue, l.changes)
		stats := p.Stats()
		require.Equal(t, uint64(len(queue)), stats.Changes)
		require.Equal(t, uint64(s.asked), stats.Questions)
		require.Less(t, stats.Age, feed.Every+feed.Every)
	})
}

// TestPollerOutlivesAHang: a question that hangs is given up, and nothing is relied on
// meanwhile that is older than a lease, by the moment of the question.
func TestPollerOutlivesAHang(t *testing.T) {
	hang, slow := false, time.Duration(0)
	s := &source{answer: func(ctx context.Context) (feed.Changes, error) {
		if hang {
			<-ctx.Done()
			return feed.Changes{}, ctx.Err()
		}
		<-time.After(slow)
		return feed.Changes{}, nil
	}}
	pollerTest(t, s, feed.Options{}, func(t *testing.T, p *feed.Poller, _ *listener) {
		use(p, time.Second)
		hang = true
		use(p, feed.Every+feed.Lease)
		before := s.asked
		fresh, _ := use(p, 20*time.Second)
		require.Zero(t, fresh)
		require.InDelta(t, 5, s.asked-before, 3)
		hang = false
		use(p, 5*time.Second)
		require.True(t, p.Fresh())
		slow = feed.Lease // each answer is late: what it says is too old
		use(p, 2*time.Second)
		fresh, _ = use(p, 10*time.Second)
		require.Zero(t, fresh)
		slow = feed.Lease - 50*time.Millisecond
		use(p, 2*time.Second)
		fresh, _ = use(p, 10*time.Second)
		require.Positive(t, fresh)
	})
}

// TestPollerDistrustsClocks: both clocks must say that an answer is young.
func TestPollerDistrustsClocks(t *testing.T) {
	for name, c := range map[string]struct {
		wall  time.Duration
		stays bool
	}{
		"an hour back":    {-time.Hour, false},
		"an hour forth":   {time.Hour, false},
		"a moment back":   {-feed.Lease / 2, true},
		"exactly a lease": {feed.Lease, false},
		"a lease back":    {-feed.Lease, false},
	} {
		t.Run(name, func(t *testing.T) {
			var moved time.Duration
			start := time.Duration(0)
			began := time.Time{}
			clock := func() feed.Moment {
				mono := time.Since(began)
				return feed.Moment{Mono: mono, Wall: start + mono + moved}
			}
			s := &source{}
			synctest.Test(t, func(t *testing.T) {
				began = time.Now()
				p := feed.NewPoller(s, feed.Options{Clock: clock})
				defer p.Close()
				p.Fresh()
				synctest.Wait()
				require.True(t, p.Fresh())
				moved = c.wall
				require.Equal(t, c.stays, p.Fresh())
				use(p, feed.Every+10*time.Millisecond)
				require.True(t, p.Fresh(), "the next answer is of the new time")
			})
		})
	}
}

// TestPollerCloses during a question, a pause, or before it was used; nothing is fresh
// afterwards.
func TestPollerCloses(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 10 * time.Second, time.Hour} {
		s := &source{answer: func(ctx context.Context) (feed.Changes, error) {
			<-ctx.Done()
			return feed.Changes{}, nil // late, and yet an answer
		}}
		pollerTest(t, s, feed.Options{Caching: true}, func(t *testing.T, p *feed.Poller, _ *listener) {
			if d > 0 {
				p.Fresh()
			}
			<-time.After(d)
			began := time.Now()
			p.Close()
			require.Zero(t, time.Since(began))
			require.False(t, p.Fresh())
			require.Equal(t, s.followed, s.closed)
			require.Equal(t, d > 0, s.followed+s.enabled > 0, "closing asks nothing")
		})
	}
}

// TestPollerIsOff where an operator has switched caching off: nothing is ever fresh, and
// the store is asked once in two seconds.
func TestPollerIsOff(t *testing.T) {
	s := &source{enable: feed.ErrCachingOff}
	pollerTest(t, s, feed.Options{Caching: true}, func(t *testing.T, p *feed.Poller, _ *listener) {
		fresh, _ := use(p, time.Minute)
		require.Zero(t, fresh)
		require.Zero(t, s.followed)
		require.Less(t, s.enabled, 40)
	})
}

func TestPollerUnderRace(t *testing.T) {
	var log feed.Log
	p := feed.NewPoller(&log, feed.Options{})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 200 {
				p.Fresh()
				p.Stats()
				log.Deleted(numbered(n))
				if n%50 == 0 {
					p.Listen(&listener{})
					p.Notify(func(error) {})
					p.Keep()
					p.Release()
				}
				if i == 0 && n == 150 {
					p.Close()
				}
			}
		})
	}
	all.Wait()
	p.Close()
	require.False(t, p.Fresh())
}
