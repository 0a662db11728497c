package hosts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/hosts/feed"
)

// ErrNotFinal: the session has ended in the store, but the wait for the caches of
// other servers was cut short. One of them may show it signed in until feed.Wait has
// passed since. Ending it once more waits again.
var ErrNotFinal = errors.New("session has ended in the store, but the caches of other servers may not know yet")

// waiting are the logouts of a request that have been done in the store and still
// have to be waited for, by when the last one was done.
type waiting struct {
	own    time.Time // of the request's visitor
	others time.Time // of other sessions
}

// loggedOut is called when a logout was done in the store, without x's lock. It waits
// until no cache shows the session signed in, or leaves that to Settle.
func (m *Manager) loggedOut(ctx context.Context, own bool) error {
	since := time.Now()
	x := RequestFrom(ctx)
	if x == nil {
		return m.waitForCaches(ctx, since)
	}
	unlock := x.lock()
	owes := x.owe(own)
	unlock()
	if owes {
		return nil
	}
	return m.waitForCaches(context.WithoutCancel(ctx), since)
}

// owe leaves the wait for a logout to Settle, if the host calls that. The caller has
// x's lock.
func (x *Request) owe(own bool) bool {
	switch {
	case !x.Settles:
		return false
	case own:
		x.waiting.own = time.Now()
	default:
		x.waiting.others = time.Now()
	}
	return true
}

// Owes reports whether a logout of the request has still to be waited for: see
// Manager.Settle. The caller has the lock of Guard.
func (x *Request) Owes() bool { return x.waiting != waiting{} }

// Settle waits for the logouts of a request, once for all of them, until no cache of
// any server shows one of the sessions signed in: see feed.Wait. It returns at once
// where there was none, where the store has no caches, or where the visitor has
// signed in again meanwhile. A host that has set Request.Settles calls it before the
// first byte of the answer, without Request.Guard. It goes on when the request is
// aborted. The error is ErrNotFinal, when the manager is closed meanwhile.
func (m *Manager) Settle(x *Request) error {
	unlock := x.lock()
	w := x.waiting
	unlock()
	last := w.own
	if w.others.After(last) {
		last = w.others
	}
	if last.IsZero() {
		return nil
	}
	if err := m.waitForCaches(context.WithoutCancel(x), last); err != nil {
		return err
	}
	defer x.lock()()
	if x.waiting == w { // else there was another logout meanwhile
		x.waiting = waiting{}
	}
	return nil
}

// waitForCaches waits until feed.Wait has passed since a logout was done, if caches
// are in use.
func (m *Manager) waitForCaches(ctx context.Context, since time.Time) error {
	caching, ok := As[feed.Caching](m.store)
	if !ok {
		return nil
	}
	asking, cancel := m.lasting(ctx)
	state, err := caching.CachingState(asking)
	cancel()
	if err != nil {
		m.storeFailed(fmt.Errorf("logout waits as if caches were in use: %w", err))
	} else if !state.Waits() {
		return nil
	}
	t := time.NewTimer(time.Until(since.Add(feed.Wait)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrNotFinal, context.Cause(ctx))
	case <-m.stopped.Done():
		return fmt.Errorf("%w: the manager was closed", ErrNotFinal)
	}
}
