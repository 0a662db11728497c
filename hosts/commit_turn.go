package hosts

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// computing asks a caller to compute the value of an update anew: the functions
// run on its goroutine, and no longer than it waits.
type computing struct {
	name string
	raw  []byte
	done chan computed // buffered: a caller that takes too long is not waited for
}

type computed struct {
	value []byte
	err   error
}

// compute runs the functions of an update on the caller's goroutine. A panic is
// the caller's to see; the line goes on without its changes.
func (w *waiter) compute(c computing) {
	out := computed{err: errPanicked}
	defer func() { c.done <- out }()
	out.value, out.err = w.updates.again(c.name, c.raw)
}

var errPanicked = errors.New("the function of an update panicked")

// ask has the caller compute an update, for as long as it waits.
func (m *Manager) ask(w *waiter, name string, raw []byte) ([]byte, error) {
	c := computing{name, raw, make(chan computed, 1)}
	if w.updates == nil {
		return nil, nil
	}
	select {
	case w.turn <- c:
	case <-w.ctx.Done():
		return nil, m.unavailable("save session", w.session.ID(), ErrBusy)
	}
	select {
	case out := <-c.done:
		return out.value, out.err
	case <-w.ctx.Done():
		return nil, m.unavailable("save session", w.session.ID(), ErrBusy)
	}
}

// waits reports whether the caller is there to be judged again after err.
func (w *waiter) waits(err error) bool { return err != errPanicked && w.ctx.Err() == nil }

// within is the context of a batch with the values of w's.
func (w *waiter) within(timed context.Context) context.Context { return led{timed, w.ctx} }

type led struct {
	context.Context
	values context.Context
}

func (c led) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// fold rebases the batch on one record: the first that has something to store
// leads and the others' changes go along. Who cannot or need not is answered. Who
// is refused behind a lead comes later: what refuses them is not stored yet.
func (m *Manager) fold(theirs *core.Record, batch []*waiter) (lead *core.Session, left, later []*waiter) {
	now, quiet := m.now(), allQuiet(batch)
	for _, w := range batch {
		next, err := m.join(lead, w, theirs, now)
		if quiet && lead == nil && err == nil && next != nil {
			next, err = m.quieted(next) // before others fold their changes into it
		}
		if lead != nil && err != nil && w.waits(err) {
			later = append(later, w)
			continue
		}
		if err != nil || next == nil {
			w.answer <- answer{core.Effects{Next: w.session}, err}
			continue
		}
		lead, left = next, append(left, w)
	}
	return lead, left, later
}

// join returns the session to commit with what w does, and leaves lead as it was
// where that is refused. Without a lead it is made from theirs.
func (m *Manager) join(lead *core.Session, w *waiter, theirs *core.Record, now core.Time) (next *core.Session, err error) {
	switch {
	case lead == nil:
		next, err = m.machine.Rebase(w.session, theirs, now)
	case w.updates == nil && w.take == "":
		next, err = lead, m.machine.Fold(lead, w.session)
	default:
		next = lead.Clone()
		err = m.machine.Fold(next, w.session)
	}
	if err != nil || next == nil {
		return nil, err
	}
	if w.take != "" {
		raw, ok := next.Value(w.take)
		if !ok {
			return nil, ErrNoValue
		}
		w.taken = raw
		return next, next.DeleteValue(w.take)
	}
	return next, redo(next, func(name string, raw []byte) ([]byte, error) { return m.ask(w, name, raw) })
}

// answerAll gives the leader the effects and the others their part of them.
func answerAll(batch []*waiter, e core.Effects, err error) {
	for i, w := range batch {
		own := e
		switch {
		case e.Next == nil:
		case i > 0:
			own = core.Effects{Save: e.Save, Did: core.DidChange, Size: e.Size, Next: e.Next.For(w.session)}
		default:
			own.Next = e.Next.Knowing(w.session)
		}
		w.answer <- answer{own, err}
	}
}
