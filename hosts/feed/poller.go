package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a Poller.
const (
	// Every is the time between two questions while somebody relies on the answers.
	Every = 150 * time.Millisecond
	// patience bounds one question.
	patience = 2 * time.Second
	// restAfter is how many questions are asked after the last use.
	restAfter = 10
	// leaveAfter is how long a follower is kept while nobody uses its answers.
	leaveAfter = time.Minute
	// maxPause is the longest time between two tries while the feed fails.
	maxPause = 2 * time.Second
)

// Listener gets the answers of a Poller before the poller relies on them. Its methods
// are called by one goroutine and must not block.
type Listener interface {
	// Changed has the changes of one complete answer.
	Changed(changes []Change)
	// Missed means that changes may be missing: everything may have changed.
	Missed(why error)
}

// Options of a Poller.
type Options struct {
	// Clock is [SystemClock] by default.
	Clock Clock
	// Caching has the poller set the store's mark that caches are in use, and be
	// fresh only while the store has it.
	Caching bool
}

// Stats counts what a Poller did since it was made.
type Stats struct {
	Questions uint64        // that were answered completely
	Failures  uint64        // questions without an answer
	Gaps      uint64        // answers that were not complete; the first is none
	Changes   uint64        // that were reported
	Age       time.Duration // since Through; negative: never
}

// Poller asks a feed while its answers are used, and rests otherwise. It is safe
// for concurrent use.
type Poller struct {
	source  Source
	o       Options
	through atomic.Pointer[Moment] // nil: nothing to rely on
	used    atomic.Bool            // since the last question
	kept    atomic.Int64           // users who need the answers all the time
	wake    chan struct{}

	mu        sync.Mutex
	listeners []Listener
	status    []func(error)

	questions, failures, gaps, changes atomic.Uint64

	stop context.CancelFunc
	done chan struct{}
}

// NewPoller starts a poller, which asks nothing until it is used. Close it.
func NewPoller(source Source, o Options) *Poller {
	if o.Clock == nil {
		o.Clock = SystemClock
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Poller{source: source, o: o, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	go p.run(ctx)
	return p
}

// Close stops the questions. Nothing is fresh afterwards.
func (p *Poller) Close() {
	p.stop()
	<-p.done
}

// Listen adds a listener, before anything relies on it. It first misses everything.
func (p *Poller) Listen(l Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners = append(p.listeners, l)
}

// Fresh reports whether everything that was acknowledged at least one Lease ago has
// been passed on. It counts as a use. What a listener keeps must be read after the
// call.
func (p *Poller) Fresh() bool {
	if !p.used.Load() && !p.used.Swap(true) {
		p.hurry()
	}
	now := p.o.Clock()
	through := p.through.Load()
	return through != nil && now.within(*through, Lease)
}

// Keep has the poller ask all the time, until as many calls of Release.
func (p *Poller) Keep() {
	p.kept.Add(1)
	p.hurry()
}

// Release ends a Keep.
func (p *Poller) Release() { p.kept.Add(-1) }

// Notify has f called when the feed stops to answer, with the error, and with nil when
// it answers again. It must not block.
func (p *Poller) Notify(f func(err error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = append(p.status, f)
}

func (p *Poller) hurry() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Stats counts.
func (p *Poller) Stats() Stats {
	s := Stats{Questions: p.questions.Load(), Failures: p.failures.Load(), Gaps: p.gaps.Load(), Changes: p.changes.Load(), Age: -1}
	if t := p.through.Load(); t != nil {
		s.Age = max(p.o.Clock().Mono-t.Mono, 0)
	}
	return s
}

// run asks while there is a use.
func (p *Poller) run(ctx context.Context) {
	defer close(p.done)
	var f Follower
	defer func() { _ = p.leave(&f) }() // nobody is left to hear of an error
	pause, unused, lost := Every, restAfter, false
	for {
		if unused >= restAfter && !p.inUse() {
			if !p.rest(ctx, leaveAfter) {
				_ = p.leave(&f) // it may hold a connection, and has nothing to say
				p.rest(ctx, 0)
			}
			if ctx.Err() != nil {
				return // not used: it has set no mark, and sets none now
			}
		}
		if unused++; p.used.Swap(false) || p.kept.Load() > 0 {
			unused = 0
		}
		err := p.ask(ctx, &f)
		if ctx.Err() != nil {
			return
		}
		pause = min(2*pause, maxPause)
		if err == nil {
			pause = Every
		} else {
			p.failures.Add(1)
		}
		if lost != (err != nil) {
			p.report(err)
		}
		lost = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (p *Poller) report(err error) {
	p.mu.Lock()
	status := p.status
	p.mu.Unlock()
	for _, f := range status {
		f(err)
	}
}

func (p *Poller) inUse() bool { return p.used.Load() || p.kept.Load() > 0 }

// rest waits for a use, for at most d if that is not zero, and reports whether there
// is one.
func (p *Poller) rest(ctx context.Context, d time.Duration) bool {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	for !p.inUse() {
		select {
		case <-ctx.Done():
			return true
		case <-over:
			return p.inUse()
		case <-p.wake:
		}
	}
	return true
}

// leave gives the follower up: nothing is known from now on.
func (p *Poller) leave(f *Follower) error {
	p.through.Store(nil)
	if *f == nil {
		return nil
	}
	err := (*f).Close()
	*f = nil
	return err
}

// errMark: an answer says that the store has no mark, so that nobody waits.
var errMark = errors.New("the store does not know that caches are in use")

// ask asks one question and passes the answer on.
func (p *Poller) ask(ctx context.Context, f *Follower) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sent := p.o.Clock()
	if *f == nil {
		next, err := p.follow(ctx)
		if err != nil {
			return err
		}
		*f = next
		p.missed(nil)
		p.through.Store(&sent)
		return nil
	}
	answer, err := (*f).Changes(ctx)
	switch {
	case err == nil && answer.Gap == nil && len(answer.Entries) > MaxChanges:
		answer.Gap = fmt.Errorf("%d changes in one answer, of at most %d", len(answer.Entries), MaxChanges)
	case err != nil:
		return err
	}
	if p.o.Caching && !answer.Caching && answer.Gap == nil {
		answer.Gap = errMark
	}
	if answer.Gap != nil {
		p.gaps.Add(1)
		err := p.leave(f)
		p.missed(answer.Gap)
		return errors.Join(answer.Gap, err)
	}
	p.questions.Add(1)
	p.changes.Add(uint64(len(answer.Entries)))
	if len(answer.Entries) > 0 {
		for _, l := range p.hearers() {
			l.Changed(answer.Entries)
		}
	}
	p.through.Store(&sent)
	return nil
}

// follow begins to follow, with the mark set.
func (p *Poller) follow(ctx context.Context) (Follower, error) {
	if c, ok := p.source.(Caching); ok && p.o.Caching {
		if err := c.EnableCaching(ctx); err != nil {
			return nil, err
		}
	}
	return p.source.Follow(ctx)
}

func (p *Poller) missed(why error) {
	for _, l := range p.hearers() {
		l.Missed(why)
	}
}

func (p *Poller) hearers() []Listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listeners
}
