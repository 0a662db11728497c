package hosts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
)

// Bounds of the conflict queues.
const (
	maxQueued = 1024 // commits of one session that wait; more get ErrBusy
	maxFolded = 256  // commits that one save may carry

	// Tries without a pause: these are lost to requests that were running before the
	// queue was opened, later ones to other processes.
	quickTries = 3
)

// queues line up the commits of a session after a first conflict, first come,
// first served: optimistic tries alone would lose most of many writers. One
// save carries the changes of all that wait, where they need no cookie.
type queues struct {
	some atomic.Int64 // how many queues there are; zero costs no lock
	mu   sync.Mutex
	byID map[core.ID]*queue
}

// queue is the queue of one session. It is served by a goroutine that ends when it
// is empty.
type queue struct{ waiting []*waiter }

type waiter struct {
	ctx     context.Context
	session *core.Session
	updates *Updates // may be nil
	take    string   // the name of a value that is taken
	taken   []byte   // the value, before the answer comes
	quiet   bool     // of a request that notes no use
	turn    chan computing
	answer  chan answer // buffered: a caller that left is not waited for
}

func newWaiter(ctx context.Context, s *core.Session, u *Updates) *waiter {
	if u != nil && len(u.byName) == 0 {
		u = nil
	}
	return &waiter{ctx: ctx, session: s, updates: u, turn: make(chan computing), answer: make(chan answer, 1)}
}

type answer struct {
	effects core.Effects
	err     error
}

// commit stores what s did. The work outlives an aborted request, within
// CommitTimeout: a double click must not half sign in.
func (m *Manager) commit(ctx context.Context, s *core.Session, u *Updates) (e core.Effects, err error) {
	quiet := isQuiet(RequestFrom(ctx), s)
	if quiet && !s.Changed() || !m.machine.Pending(s, m.now()) {
		return core.Effects{Next: s}, nil
	}
	if err := m.admitChange(ctx, s); err != nil {
		return core.Effects{}, err
	}
	if u != nil {
		defer func() {
			// Else the session has the updates still, and the next commit may run them
			// again: not where they may be stored already.
			if err == nil || errors.Is(err, ErrUnknown) {
				u.Clear()
			}
		}()
		if err := redo(s, u.again); err != nil {
			return core.Effects{}, err
		}
	}
	ctx, cancel := m.lasting(ctx)
	defer cancel()
	o := observe(ctx, m.observer, Call{OpCommit, s.ID(), 1})
	defer func() { o.end(err) }()
	ctx, err = o.ctx, core.ErrConflict
	if s.State() != core.StateActive || !m.queues.busy(s) {
		e, err = m.tryOnce(ctx, s, quiet)
	}
	if lostRace(err) {
		m.counts.retries.Add(1)
		w := newWaiter(ctx, s, u)
		w.quiet = quiet
		e, err = m.line(w)
	}
	if err != nil && s.State() == core.StateActive && !s.Changed() {
		// A periodic renewal waits for the next request: this one only read.
		m.untouched(err)
		return core.Effects{Next: s}, nil
	}
	return e, err
}

// lostRace reports whether another save was first. A core.ConflictError is more:
// a value that was read has changed, so another try cannot succeed.
func lostRace(err error) bool { return err == core.ErrConflict }

// lasting is the context of work that outlives an aborted request.
func (m *Manager) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), m.commitTimeout)
}

// busy reports whether a session that changed something should queue at once.
func (q *queues) busy(s *core.Session) bool {
	if q.some.Load() == 0 || !s.Changed() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.byID[s.ID()] != nil
}

func (m *Manager) line(w *waiter) (core.Effects, error) {
	id := w.session.ID()
	if err := m.queues.join(m, id, w); err != nil {
		return core.Effects{}, err
	}
	for {
		select {
		case a := <-w.answer:
			return a.effects, a.err
		case c := <-w.turn:
			w.compute(c)
			continue
		case <-w.ctx.Done():
		}
		if m.queues.leave(id, w) {
			return core.Effects{}, m.unavailable("save session", id, ErrBusy)
		}
		select {
		case a := <-w.answer: // both were ready
			return a.effects, a.err
		default: // its save is on the way
			return core.Effects{}, m.unavailable("save session", id, fmt.Errorf("%w: %w", ErrUnknown, context.Cause(w.ctx)))
		}
	}
}

func (q *queues) join(m *Manager, id core.ID, w *waiter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	line := q.byID[id]
	if line == nil {
		line = &queue{}
		if q.byID == nil {
			q.byID = map[core.ID]*queue{}
		}
		q.byID[id] = line
		q.some.Add(1)
		go m.serve(id, line)
	}
	if len(line.waiting) >= maxQueued {
		return m.unavailable("save session", id, ErrBusy)
	}
	line.waiting = append(line.waiting, w)
	return nil
}

// leave takes w out of its line. False means that its turn had come.
func (q *queues) leave(id core.ID, w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	line := q.byID[id]
	if line == nil {
		return false
	}
	at := slices.Index(line.waiting, w)
	if at < 0 {
		return false
	}
	line.waiting = slices.Delete(line.waiting, at, at+1)
	return true
}

// take returns the head of the line and those behind it whose changes can go
// with it, or closes the line when nobody waits.
func (q *queues) take(id core.ID, line *queue) []*waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(line.waiting) == 0 {
		delete(q.byID, id)
		q.some.Add(-1)
		return nil
	}
	n := 1
	if line.waiting[0].session.FoldsPlainly() { // else it may become a session of its own
		for n < min(len(line.waiting), maxFolded) && line.waiting[n].session.FoldsPlainly() {
			n++
		}
	}
	batch := line.waiting[:n:n]
	line.waiting = line.waiting[n:]
	return batch
}

func (m *Manager) serve(id core.ID, line *queue) {
	for batch := m.queues.take(id, line); batch != nil; batch = m.queues.take(id, line) {
		m.together(id, batch)
	}
}

// together commits a batch in one save and answers every caller, trying again
// while other processes win.
func (m *Manager) together(id core.ID, batch []*waiter) {
	timed, cancel := context.WithTimeout(context.Background(), m.commitTimeout)
	defer cancel()
	for try := 0; len(batch) > 0; try++ {
		theirs, err := m.stored(batch[0].within(timed), id)
		if err != nil {
			answerAll(batch, core.Effects{}, err)
			return
		}
		var lead *core.Session
		var later []*waiter
		lead, batch, later = m.fold(theirs, batch)
		if lead == nil {
			return
		}
		ctx := batch[0].within(timed) // of somebody who waits still
		e, err := m.attempt(ctx, lead)
		if !lostRace(err) {
			m.counts.folded.Add(uint64(len(batch) - 1))
			answerAll(batch, e, err)
			batch = later
			continue
		}
		m.counts.retries.Add(1)
		batch = append(batch, later...)
		if ctx.Err() != nil || try >= quickTries && !pause(ctx, try-quickTries) {
			answerAll(batch, core.Effects{}, m.unavailable("save session", id, ErrBusy))
			return
		}
	}
}

// stored returns the record, or nil when the session is gone.
func (m *Manager) stored(ctx context.Context, id core.ID) (*core.Record, error) {
	r, err := m.load(ctx, id)
	if errors.Is(err, core.ErrNotFound) {
		return nil, nil
	}
	return &r, err
}
