package hosts

import (
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
)

// Take removes a value and returns it. Of any number of requests, on any number
// of servers, at most one gets a value; exactly one where no answer of the store
// is lost. ErrNoValue means that there is none, or that another was first.
func (m *Manager) Take(ctx context.Context, id core.ID, name string) (any, error) {
	if v, err := m.takeOwn(RequestFrom(ctx), id, name); !errors.Is(err, errNotOwn) {
		return v, err
	}
	loading, cancel := context.WithTimeout(ctx, m.commitTimeout)
	defer cancel()
	c, err := m.byID(loading, id)
	if err != nil {
		return nil, err
	}
	raw, _, err := m.take(ctx, c, name)
	if err != nil {
		return nil, fmt.Errorf("session %v, value %q: %w", id, name, err)
	}
	return core.DecodeValue(raw)
}

func (m *Manager) takeOwn(x *Request, id core.ID, name string) (any, error) {
	defer x.lock()()
	if x.own(id) == nil {
		return nil, errNotOwn
	}
	return m.TakeFrom(x, name)
}

// TakeFrom is Take for the session of a request. Its removal is stored at
// once and alone: what else the request has changed is stored by its own commit.
// A value that the request itself has put and not stored yet is taken from it.
func (m *Manager) TakeFrom(x *Request, name string) (any, error) {
	if err := m.Reread(x); err != nil { // it may have been put meanwhile
		return nil, err
	}
	s := x.current
	if raw, ok := s.Value(name); s.State() == core.StateNew || s.Wrote(name) {
		if !ok {
			return nil, ErrNoValue
		}
		if err := s.DeleteValue(name); err != nil {
			return nil, err
		}
		x.Updates.Forget(name)
		return core.DecodeValue(raw)
	}
	raw, stored, err := m.take(x, s, name)
	if err != nil {
		return nil, err
	}
	m.goOn(x, stored)
	return core.DecodeValue(raw)
}

// take returns the value and the record in which it is no more.
func (m *Manager) take(ctx context.Context, s *core.Session, name string) (raw []byte, stored *core.Record, err error) {
	q := s.Quiet()
	raw, ok := q.Value(name)
	if !ok {
		return nil, nil, ErrNoValue
	}
	if err := q.DeleteValue(name); err != nil {
		return nil, nil, err
	}
	ctx, cancel := m.lasting(ctx)
	defer cancel()
	if err := m.admitChange(ctx, q); err != nil {
		return nil, nil, err
	}
	o := observe(ctx, m.observer, Call{OpCommit, s.ID(), 1})
	defer func() { o.end(err) }()
	ctx, err = o.ctx, core.ErrConflict
	var e core.Effects
	if !m.queues.busy(q) {
		e, err = m.attempt(ctx, q)
	}
	if lostRace(err) {
		w := newWaiter(ctx, s.Quiet(), nil)
		w.take = name
		if e, err = m.line(w); err == nil {
			raw = w.taken
		}
	}
	if err != nil {
		m.conflicted(RequestFrom(ctx), s, err)
		return nil, nil, err
	}
	return raw, e.Save, nil
}

// goOn has the request's session go on from a record that this request has
// stored beside it. What cannot be replayed on it is the commit's to refuse: the
// session then stays as it was.
func (m *Manager) goOn(x *Request, stored *core.Record) {
	next, err := m.machine.Rebase(x.current, stored, m.now())
	if err != nil || next == nil {
		return
	}
	x.Updates.guard = x.Guard
	if redo(next, x.Updates.again) == nil {
		x.current = next
	}
}
