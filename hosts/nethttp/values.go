package nethttp

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/values"
)

// Get returns a value as it was put: the same Go type. hosts.ErrNoValue means
// that there is none of that name. It notes that the value was read, or that it
// was missing: see [Session].
func (v *Session) Get(name string) (any, error) {
	return v.get(name, true)
}

// Peek is Get that does not note the read: a value that is put afterwards is
// stored whatever other requests have made of the name, and the later one wins.
func (v *Session) Peek(name string) (any, error) { return v.get(name, false) }

func (v *Session) get(name string, note bool) (any, error) {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	s := v.reading()
	if s == nil {
		return nil, v.err
	}
	read := s.Value
	if note && !v.updating.Load() { // else the commit has the session
		read = s.Read
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
func (v *Session) Put(name string, value any) error {
	raw, err := values.Encode(name, value)
	if err != nil {
		return err
	}
	return v.change(func(s *core.Session) error {
		v.x.Updates.Forget(name)
		return s.SetValue(name, raw)
	})
}

// Delete removes a value; a missing one is no error.
func (v *Session) Delete(name string) error {
	return v.change(func(s *core.Session) error {
		v.x.Updates.Forget(name)
		return s.DeleteValue(name)
	})
}

// Clear removes all values; the session lives on.
func (v *Session) Clear() error {
	return v.change(func(s *core.Session) error {
		v.x.Updates.Clear()
		return s.ClearValues()
	})
}

// Add adds n to a counter, an int or int64, and returns the sum; a missing one
// is 0. However many requests add at once, all count: the sum that is stored may
// be larger. core.ErrCounter means that the value is of another type.
func (v *Session) Add(name string, n int64) (sum int64, err error) {
	err = v.change(func(s *core.Session) error {
		if sum, err = s.AddValue(name, n); err == nil {
			v.x.Updates.KeepAdd(name, n)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("session value %q: %w", name, err)
	}
	return sum, nil
}

// Take removes a value and returns it: a flash message, the state of an OAuth
// login, a one-time link. Of any number of requests, on any number of servers, at
// most one gets a value; exactly one where no answer of the store is lost.
// hosts.ErrNoValue means that there is none, or that another was first. The
// removal is stored at once and alone. It works also after the answer has begun.
func (v *Session) Take(name string) (value any, err error) {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	switch {
	case v.dead != nil:
		return nil, v.dead
	case !v.loaded:
		return nil, v.err
	case v.updating.Load():
		return nil, ErrUpdating
	case v.request.over.Load():
		return nil, ErrCommitted
	}
	v.current()
	return v.request.middleware.manager.TakeFrom(&v.x, name)
}

// Update keeps what fn computes from the value of a name; [hosts.Update] does
// structs. Where another request has changed the value by the time that it is
// stored, fn runs again on that: no update is lost, and what the handler has
// written from the first may be older than what is stored. fn runs at once, and
// again on the goroutine that writes the first byte of the answer, within
// Config.CommitTimeout: it must only compute. Its error, or panic, stores nothing.
func (v *Session) Update(name string, fn hosts.UpdateFunc) error {
	return v.x.Updates.Run(name, fn, v.change)
}

// guard is a Session as the manager's verbs lock it.
type guard Session

func (g *guard) Lock()   { g.request.mu.Lock() }
func (g *guard) Unlock() { g.request.mu.Unlock() }

// Outside runs the functions of updates in a commit, without the lock that the
// commit holds: they may read the session. They do not run while the handler
// that gave them may still do so elsewhere, timed out by a middleware inside of
// ours.
func (g *guard) Outside(run func() error) error {
	rq := g.request
	if g.x.Context != context.Context((*requestContext)(rq)) && g.x.Err() != nil {
		return errLeft
	}
	g.updating.Store(true)
	rq.mu.Unlock()
	defer func() {
		rq.mu.Lock()
		g.updating.Store(false)
	}()
	return run()
}
