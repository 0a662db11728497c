package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/values"
)

// UpdateFunc computes a value from the one before: nil and false where there is
// none. It may be called several times, each time with what is stored by then.
type UpdateFunc func(old any, ok bool) (any, error)

// Compute calls fn for the value of a name, which is given and returned as the
// CBOR that core.Session keeps; nil is none.
func (fn UpdateFunc) Compute(name string, raw []byte) ([]byte, error) {
	var old any
	if raw != nil {
		var err error
		if old, err = core.DecodeValue(raw); err != nil {
			return nil, fmt.Errorf("session value %q: %w", name, err)
		}
	}
	value, err := fn(old, raw != nil)
	if err != nil {
		return nil, err
	}
	return values.Encode(name, value)
}

// Updates are the functions of a request's updates. A commit that meets a
// conflict runs those of the names that have changed again, in the order of
// their calls and on the goroutine that waits for the commit.
type Updates struct {
	byName map[string][]func(raw []byte) ([]byte, error)
	guard  Guard // that a commit holds; may be nil
}

// Keep has fn run again where the value of the name changes before the commit.
func (u *Updates) Keep(name string, fn UpdateFunc) {
	if u.byName == nil {
		u.byName = map[string][]func([]byte) ([]byte, error){}
	}
	u.byName[name] = append(u.byName[name], func(raw []byte) ([]byte, error) { return fn.Compute(name, raw) })
}

// KeepAdd has n added again behind an update of the name. Without one the core
// does that.
func (u *Updates) KeepAdd(name string, n int64) {
	if len(u.byName[name]) == 0 {
		return
	}
	u.byName[name] = append(u.byName[name], func(raw []byte) ([]byte, error) {
		value, _, err := core.AddTo(raw, n)
		return value, err
	})
}

// Forget drops the functions of a name that was set or deleted since.
func (u *Updates) Forget(name string) { delete(u.byName, name) }

// Clear drops all functions: what they computed was stored, or may have been, or the session
// is another.
func (u *Updates) Clear() { u.byName = nil }

// again computes the value of a name from raw.
func (u *Updates) again(name string, raw []byte) (value []byte, err error) {
	run := func() error {
		for _, f := range u.byName[name] {
			if raw, err = f(raw); err != nil {
				return err
			}
		}
		return nil
	}
	if u.guard != nil {
		err = u.guard.Outside(run)
	} else {
		err = run()
	}
	return raw, err
}

// Run updates a value of a session that use reaches, with the lock that it has
// and fn does not: it may be called several times, and its error ends the update.
func (u *Updates) Run(name string, fn UpdateFunc, use func(func(*core.Session) error) error) error {
	for {
		var raw []byte
		if err := use(func(s *core.Session) error {
			raw, _ = s.Value(name)
			return nil
		}); err != nil {
			return err
		}
		value, err := fn.Compute(name, raw)
		if err != nil {
			return err
		}
		same := false
		if err := use(func(s *core.Session) error {
			now, _ := s.Value(name)
			if same = bytes.Equal(raw, now); !same {
				return nil // another goroutine of this request was faster
			}
			if err := s.UpdateValue(name, value); err != nil {
				return err
			}
			u.Keep(name, fn)
			return nil
		}); same || err != nil {
			return err
		}
	}
}

// errForgotten: a session says that a value must be computed anew, and the
// request has no function for it.
var errForgotten = errors.New("no function is kept for an update that must run again")

// redo runs the functions of the names in c.Again by compute.
func redo(c *core.Session, compute func(name string, raw []byte) ([]byte, error)) error {
	for _, name := range c.Again() {
		raw, _ := c.Value(name)
		value, err := compute(name, raw)
		if err != nil {
			return err
		}
		if value == nil {
			return fmt.Errorf("session value %q: %w", name, errForgotten)
		}
		if err := c.UpdateValue(name, value); err != nil {
			return fmt.Errorf("session value %q: %w", name, err)
		}
	}
	return nil
}

// Add adds n to a counter of the session: an int or int64, or nothing, which
// counts as 0. All additions count, in any order. It returns the sum as it
// was stored, which additions of others in the same save may be part of.
// core.ErrCounter means that the value is of another type.
func (m *Manager) Add(ctx context.Context, id core.ID, name string, n int64) (int64, error) {
	next, err := m.changed(ctx, id, nil, func(c *core.Session) error {
		_, err := c.AddValue(name, n)
		return err
	})
	if err != nil {
		return 0, err
	}
	raw, _ := next.Value(name)
	_, sum, err := core.AddTo(raw, 0)
	return sum, err
}

// Update stores what fn computes from the value of a name, and runs fn again on
// what is stored by then where another request was faster: no update is lost.
// It runs on the caller's goroutine, for at most CommitTimeout. Its error is
// returned, and nothing is stored. [UpdateByID] does structs.
func (m *Manager) Update(ctx context.Context, id core.ID, name string, fn UpdateFunc) error {
	x := RequestFrom(ctx)
	err := errNotOwn
	if x != nil {
		err = m.updateOwn(x, id, name, fn)
	}
	if !errors.Is(err, errNotOwn) {
		return err
	}
	var u Updates
	u.Keep(name, fn)
	_, err = m.changed(ctx, id, &u, func(c *core.Session) error {
		raw, _ := c.Value(name)
		value, err := u.again(name, raw)
		if err != nil {
			return err
		}
		return c.UpdateValue(name, value)
	})
	return err
}

var errNotOwn = errors.New("the session is not the request's own")

// updateOwn updates the request's own session and stores it, with all that the
// request has done to it so far.
func (m *Manager) updateOwn(x *Request, id core.ID, name string, fn UpdateFunc) error {
	err := x.Updates.Run(name, fn, func(f func(*core.Session) error) error {
		defer x.lock()()
		if c := x.own(id); c != nil {
			return f(c)
		}
		return errNotOwn
	})
	if err != nil {
		return err
	}
	defer x.lock()()
	if x.own(id) == nil {
		return fmt.Errorf("session %v: %w", id, core.ErrEnded)
	}
	_, err = m.Commit(x, x.current)
	return err
}
