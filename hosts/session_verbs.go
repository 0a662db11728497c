package hosts

import (
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/values"
)

// byID opens a session for a program.
func (m *Manager) byID(ctx context.Context, id core.ID) (*core.Session, error) {
	r, err := m.load(ctx, id)
	if err != nil {
		return nil, err
	}
	q, _ := requestOf(ctx)
	return m.machine.Resume(core.ByID(id), r, q, m.now())
}

// changed opens a session by ID, does something to it, stores that and returns
// the session as it is then. The session of the request in ctx is stored with
// all that the request has done to it so far.
func (m *Manager) changed(ctx context.Context, id core.ID, u *Updates, do func(*core.Session) error) (*core.Session, error) {
	x := RequestFrom(ctx)
	if next, err := m.changedOwn(x, id, do); !errors.Is(err, errNotOwn) {
		return next, err
	}
	loading, cancel := context.WithTimeout(ctx, m.commitTimeout)
	defer cancel()
	c, err := m.byID(loading, id)
	if err != nil {
		return nil, err
	}
	if err := do(c); err != nil {
		return nil, fmt.Errorf("session %v: %w", id, err)
	}
	e, err := m.commit(ctx, c, u)
	if err != nil {
		m.conflicted(x, c, err)
		return nil, err
	}
	m.tellDeeds(x, &e)
	return e.Next, nil
}

// changedOwn is changed for the request's own session, or returns errNotOwn.
func (m *Manager) changedOwn(x *Request, id core.ID, do func(*core.Session) error) (*core.Session, error) {
	defer x.lock()()
	own := x.own(id)
	if own == nil {
		return nil, errNotOwn
	}
	c := own.Clone()
	if err := do(c); err != nil {
		return nil, fmt.Errorf("session %v: %w", id, err)
	}
	return m.Commit(x, c)
}

func (m *Manager) change(ctx context.Context, id core.ID, do func(*core.Session) error) error {
	_, err := m.changed(ctx, id, nil, do)
	return err
}

// Get returns one value. ErrNoValue means that the session lives and has no
// such name; core.ErrNotFound that there is no such session.
func (m *Manager) Get(ctx context.Context, id core.ID, name string) (any, error) {
	raw, ok, own := RequestFrom(ctx).readOwn(id, name)
	if !own {
		c, err := m.byID(ctx, id)
		if err != nil {
			return nil, err
		}
		raw, ok = c.Value(name)
	}
	if !ok {
		return nil, fmt.Errorf("session %v, value %q: %w", id, name, ErrNoValue)
	}
	return core.DecodeValue(raw)
}

// Set stores one value, without losing another request's change.
func (m *Manager) Set(ctx context.Context, id core.ID, name string, value any) error {
	raw, err := values.Encode(name, value)
	if err != nil {
		return err
	}
	return m.change(ctx, id, func(c *core.Session) error { return c.SetValue(name, raw) })
}

// Delete removes one value; a missing one is no error.
func (m *Manager) Delete(ctx context.Context, id core.ID, name string) error {
	return m.change(ctx, id, func(c *core.Session) error { return c.DeleteValue(name) })
}

// Clear removes all values; the session lives on.
func (m *Manager) Clear(ctx context.Context, id core.ID) error {
	return m.change(ctx, id, (*core.Session).ClearValues)
}

// IsValid reports whether the session lives: false when it is missing, expired
// or ended. A store that cannot be asked is an error, not an answer.
func (m *Manager) IsValid(ctx context.Context, id core.ID) (bool, error) {
	_, err := m.byID(ctx, id)
	var r *core.Refusal
	if errors.As(err, &r) {
		return false, nil
	}
	return err == nil, err
}

// IsExpired reports whether the session has run out or idled out. A missing
// session is core.ErrNotFound.
func (m *Manager) IsExpired(ctx context.Context, id core.ID) (bool, error) {
	_, err := m.byID(ctx, id)
	if errors.Is(err, core.ErrExpired) || errors.Is(err, core.ErrIdle) {
		return true, nil
	}
	return false, err
}

// Refresh moves the deadline to a whole lifetime from now. When the session is
// the visitor's own, the cookie follows.
func (m *Manager) Refresh(ctx context.Context, id core.ID) error {
	if err := m.visitor(RequestFrom(ctx)); err != nil {
		return err
	}
	return m.change(ctx, id, (*core.Session).Refresh)
}

// visitor finds the session of the request, if there is one.
func (m *Manager) visitor(x *Request) error {
	defer x.lock()()
	if x == nil || x.current != nil || x.created != nil {
		return nil
	}
	var r *core.Refusal
	if _, err := m.Resume(x); err != nil && !errors.As(err, &r) {
		return err
	}
	return nil
}
