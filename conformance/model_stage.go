package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// stage lets one store call happen at a time, in an order that it draws. Every
// call is made of the store and of its twin, which must answer alike.
type stage struct {
	stores  [2]hosts.Store
	twin    hosts.Store
	outside func(call func())
	random  *rand.Rand
	faults  int                                                                   // that may still happen
	flaw    string                                                                // of the requests, for tests of the judges
	caches  func(handle int, behind hosts.Store) (cache hosts.Store, done func()) // nil: managers have none

	mu         sync.Mutex
	open       bool // calls happen at once
	step       int  // turns so far
	waiting    []*turn
	playing    int // requests that are not over
	transcript []string
	broken     string         // the first broken promise; no call is made after it
	names      map[any]string // of sessions and versions, in the order of appearance
}

// turn is one call that waits for its turn.
type turn struct {
	who    int
	ctx    context.Context
	handle int
	what   func() string                                    // for the transcript
	call   func(ctx context.Context, s hosts.Store) outcome // nil: a request begins something
	alone  bool                                             // it is no call that the twin answers
	late   bool                                             // its answer was given up already
	answer chan outcome
}

// order puts calls that land late behind the others.
func (t *turn) order() int {
	if t.late {
		return 1
	}
	return 0
}

// outcome is the answer to one call.
type outcome struct {
	err   error
	found []core.Record // of Load and Find
}

func newStage(seed uint64, stores [2]hosts.Store, twin hosts.Store, outside func(func())) *stage {
	return &stage{
		stores: stores, twin: twin, outside: outside, open: true,
		random: rand.New(rand.NewPCG(seed, 0x5e55)), names: make(map[any]string),
	}
}

type whoKey struct{}

// pass waits for the turn of a call and returns its answer.
func (s *stage) pass(t turn) outcome {
	s.mu.Lock()
	if s.open {
		defer s.mu.Unlock()
		return s.make(&t)
	}
	t.who, _ = t.ctx.Value(whoKey{}).(int)
	t.answer = make(chan outcome, 1)
	s.waiting = append(s.waiting, &t)
	s.mu.Unlock()
	return <-t.answer
}

// perform has n requests meet, and returns when all are over and every call
// has landed.
func (s *stage) perform(n int, do func(ctx context.Context, who int)) {
	s.meet(false, n)
	for who := range n {
		go func() {
			do(context.WithValue(context.Background(), whoKey{}, who), who)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.playing--
		}()
	}
	for s.next() {
	}
	s.meet(true, 0)
}

// meet begins or ends the time in which calls take turns. Caches ask at any time.
func (s *stage) meet(open bool, playing int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open, s.playing = open, playing
}

// next waits until nobody gets on by itself, also who pauses, and lets one
// call happen. False means that all is over.
func (s *stage) next() bool {
	synctest.Wait()
	<-time.After(s.pause())
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	steps := modelSteps
	if s.caches != nil {
		steps *= 10 // most of them only let time pass
	}
	if s.step++; s.step > steps {
		s.fail("the requests have made %d calls and do not end", steps)
	}
	if s.broken != "" { // all go home
		for _, t := range s.waiting {
			if t.answer != nil {
				t.answer <- outcome{err: hosts.ErrClosed}
			}
		}
		s.open, s.waiting = true, nil
		return s.playing > 0
	}
	if len(s.waiting) == 0 {
		return s.playing > 0
	}
	slices.SortStableFunc(s.waiting, func(a, b *turn) int { return cmp.Or(a.order()-b.order(), a.who-b.who) })
	at := s.random.IntN(len(s.waiting))
	t := s.waiting[at]
	s.waiting = slices.Delete(s.waiting, at, at+1)
	s.take(t)
	return true
}

// pause is how much time of the bubble passes between two calls: more than any pause of
// who waits, or with caches so little that leases begin and end in between.
func (s *stage) pause() time.Duration {
	if s.caches == nil {
		return time.Second
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.random.IntN(5)*s.random.IntN(5)) * 5 * time.Millisecond
}

// take lets a call happen, with a fault now and then.
func (s *stage) take(t *turn) {
	switch {
	case t.call == nil:
		s.note(t, "")
		t.answer <- outcome{}
		return
	case t.late:
		s.make(t)
		return
	case t.alone || s.faults == 0 || s.random.IntN(5) > 0:
		t.answer <- s.make(t)
		return
	}
	s.faults--
	lost := outcome{err: fmt.Errorf("model: %w", hosts.ErrUnavailable)}
	switch s.random.IntN(4) {
	case 0:
		s.note(t, " is not made")
	case 1:
		s.make(t)
		s.note(t, " has lost its answer")
	case 2:
		s.note(t, " is made twice")
		s.make(t)
		lost = s.make(t)
	case 3:
		s.note(t, " will land late")
		late := *t
		late.late = true
		s.waiting = append(s.waiting, &late)
	}
	t.answer <- lost
}

// make makes a call of the store and of its twin. s.mu is held.
func (s *stage) make(t *turn) outcome {
	if s.broken != "" {
		return outcome{err: hosts.ErrClosed}
	}
	var got, want outcome
	s.outside(func() {
		ctx, cancel := context.WithTimeout(context.Background(), CaseLimit)
		defer cancel()
		if hosts.IsTouch(t.ctx) {
			ctx = hosts.TouchContext(ctx)
		}
		got = t.call(ctx, s.stores[t.handle])
		if want = got; !t.alone {
			want = t.call(ctx, s.twin)
		}
	})
	s.note(t, ": "+got.kind())
	if got.kind() != want.kind() {
		s.fail("%s: the answer is %v, want %s", t.what(), got.err, want.kind())
		return outcome{err: hosts.ErrClosed}
	}
	for i := range min(len(got.found), len(want.found)) {
		if d := difference(want.found[i], got.found[i]); d != "" {
			s.fail("%s: %s", t.what(), d)
		}
	}
	if len(got.found) != len(want.found) {
		s.fail("%s: %d records, want %d", t.what(), len(got.found), len(want.found))
	}
	return got
}

func (o outcome) kind() string {
	switch {
	case o.err == nil:
		return "done"
	case errors.Is(o.err, core.ErrNotFound):
		return "not found"
	case errors.Is(o.err, core.ErrConflict):
		return "conflict"
	}
	return "failed"
}

// note writes a line of the transcript. s.mu is held.
func (s *stage) note(t *turn, more string) {
	who := "  "
	switch {
	case t.late:
		more = ", late" + more
		fallthrough
	case t.answer != nil:
		who = fmt.Sprint(t.who, " ")
	}
	s.transcript = append(s.transcript, fmt.Sprintf("%4d %s%s%s", s.step, who, t.what(), more))
}

// fail keeps the first broken promise. s.mu is held.
func (s *stage) fail(format string, args ...any) {
	if s.broken == "" {
		s.broken = fmt.Sprintf(format, args...)
	}
}

// name returns what the transcript calls a session or version. s.mu is held.
func (s *stage) name(kind string, of any) string {
	if s.names[of] == "" {
		s.names[of] = fmt.Sprint(kind, len(s.names)+1)
	}
	return s.names[of]
}

// now returns how many calls have happened.
func (s *stage) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.step
}
