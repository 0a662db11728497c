package nethttp

import (
	"bytes"
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Get returns a value as it was put: the same Go type. hosts.ErrNoValue means
// that there is none of that name. It notes that the value was read, or that it
// was missing: see [Visit].
func (v *Visit) Get(name string) (any, error) {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	s := v.session()
	if s == nil {
		return nil, v.err
	}
	read := s.Read
	if v.updating.Load() { // the commit has the session
		read = s.Value
	}
	raw, ok := read(name)
	if !ok {
		return nil, hosts.ErrNoValue
	}
	return core.DecodeValue(raw)
}

// Put keeps a value of one of the types that core.AppendValue lists; hosts.Put
// does structs. Where the name was not read before, the later of two requests
// wins.
func (v *Visit) Put(name string, value any) error {
	raw, err := hosts.EncodeValue(name, value)
	if err != nil {
		return err
	}
	return v.change(func(s *core.Session) error {
		v.x.Updates.Forget(name)
		return s.SetValue(name, raw)
	})
}

// Delete removes a value; a missing one is no error.
func (v *Visit) Delete(name string) error {
	return v.change(func(s *core.Session) error {
		v.x.Updates.Forget(name)
		return s.DeleteValue(name)
	})
}

// Clear removes all values; the session lives on.
func (v *Visit) Clear() error {
	return v.change(func(s *core.Session) error {
		v.x.Updates.Clear()
		return s.ClearValues()
	})
}

// Add adds n to a counter, an int or int64, and returns the sum; a missing one
// is 0. However many requests add at once, all count: the sum that is stored may
// be larger. core.ErrCounter means that the value is of another type.
func (v *Visit) Add(name string, n int64) (sum int64, err error) {
	err = v.change(func(s *core.Session) error {
		if sum, err = s.AddValue(name, n); err == nil {
			v.x.Updates.KeepAdd(name, n)
		}
		return err
	})
	return sum, err
}

// Take removes a value and returns it: a flash message, the state of an OAuth
// login, a one-time link. Of any number of requests, on any number of servers, at
// most one gets a value; exactly one where no answer of the store is lost.
// hosts.ErrNoValue means that there is none, or that another was first. The
// removal is stored at once and alone. It works also after the answer has begun.
func (v *Visit) Take(name string) (value any, err error) {
	v.round.mu.Lock()
	defer v.round.mu.Unlock()
	switch {
	case v.dead != nil:
		return nil, v.dead
	case !v.loaded:
		return nil, v.err
	case v.updating.Load():
		return nil, ErrUpdating
	case v.round.over.Load():
		return nil, ErrCommitted
	}
	v.session()
	return v.round.host.manager.TakeFrom(&v.x, name)
}

// Update keeps what fn computes from the value of a name; [hosts.Update] does
// structs. Where another request has changed the value by the time that it is
// stored, fn runs again on that: no update is lost, and what the handler has
// written from the first may be older than what is stored. fn runs at once, and
// again on the goroutine that writes the first byte of the answer, within
// Config.CommitTimeout: it must only compute. Its error, or panic, stores nothing.
func (v *Visit) Update(name string, fn hosts.UpdateFunc) error {
	for {
		raw, err := v.before(name)
		if err != nil {
			return err
		}
		value, err := fn.Compute(name, raw)
		if err != nil {
			return err
		}
		if done, err := v.updated(name, raw, value, fn); done || err != nil {
			return err
		}
	}
}

// before returns the value that an update is computed from.
func (v *Visit) before(name string) (raw []byte, err error) {
	err = v.change(func(s *core.Session) error {
		raw, _ = s.Value(name)
		return nil
	})
	return raw, err
}

// updated keeps what was computed from raw, unless another goroutine of this
// request has changed that meanwhile.
func (v *Visit) updated(name string, raw, value []byte, fn hosts.UpdateFunc) (done bool, err error) {
	err = v.change(func(s *core.Session) error {
		if now, _ := s.Value(name); !bytes.Equal(raw, now) {
			return nil
		}
		if err := s.UpdateValue(name, value); err != nil {
			return err
		}
		v.x.Updates.Outside = v.outside
		v.x.Updates.Keep(name, fn)
		done = true
		return nil
	})
	return done, err
}

// outside runs the functions of updates in a commit, without the lock that the
// commit holds: they may read the session. They do not run while the handler
// that gave them may still do so elsewhere, timed out by a middleware inside of
// ours.
func (v *Visit) outside(run func() error) error {
	rd := v.round
	if v.x.Context != context.Context((*roundContext)(rd)) && v.x.Err() != nil {
		return errLeft
	}
	v.updating.Store(true)
	rd.mu.Unlock()
	defer func() {
		rd.mu.Lock()
		v.updating.Store(false)
	}()
	return run()
}
