package hosts

import (
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// ErrNoFeed means that nobody can be notified of the end of a session: the store has
// no feed of changes.
var ErrNoFeed = errors.New("this store cannot report that a session has ended: it has no feed of changes (feed.Source)")

// FeedOf returns the feed of a store, or an error that says why it has none: ErrNoFeed,
// or feed.ErrUnsupported with what to do.
func FeedOf(store Store) (feed.Source, error) {
	source, ok := As[feed.Source](store)
	if !ok {
		return nil, ErrNoFeed
	}
	if able, ok := source.(interface{ CanFollow() error }); ok {
		if err := able.CanFollow(); err != nil {
			return nil, err
		}
	}
	return source, nil
}

// Watch waits for the end of one session. Stop it.
type Watch struct {
	of      *watches
	ended   chan struct{} // made by the first Ended: it takes more than all the rest
	next    *Watch        // of the same session
	id      core.ID
	expires core.Time
	chain   uint32
	over    bool // stopped, or gone
	gone    bool // the session has ended
	onEnd   func()
}

// Of reports whether the session is the one that is watched, under the same secret.
func (w *Watch) Of(s *core.Session) bool { return w.id == s.ID() && w.chain == s.Chain() }

// OnEnd has f run in a goroutine of its own when the session has ended, as Ended says,
// and at once if it has already. It does not run after Stop. A second OnEnd replaces the first.
func (w *Watch) OnEnd(f func()) {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.gone {
		go f()
	} else {
		w.onEnd = f
	}
}

// Ended is closed when the session has ended anywhere, by a logout, by its expiry, or
// because a login or a change of privilege has replaced its secret: within feed.Lease
// and one question of the feed, and longer while the store does not answer. It is not
// closed by Stop, nor when the manager is closed.
func (w *Watch) Ended() <-chan struct{} {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.ended == nil {
		w.ended = make(chan struct{})
		if w.gone {
			close(w.ended)
		}
	}
	return w.ended
}

// end is called when the session has ended, with the lock of w.of.
func (w *Watch) end() {
	w.over, w.gone, w.next = true, true, nil
	if w.ended != nil {
		close(w.ended)
	}
	if w.onEnd != nil {
		go w.onEnd()
	}
}

// Stop frees the watch. A second Stop does nothing.
func (w *Watch) Stop() { w.of.remove(w) }

// Watch watches a stored session of a request. The error is ErrNoFeed, or that of
// setting the feed up. One goroutine serves all watches of a manager.
func (m *Manager) Watch(s *core.Session) (*Watch, error) {
	if s == nil || s.State() != core.StateActive {
		return nil, fmt.Errorf("watch a session that is not stored: %w", core.ErrNotFound)
	}
	w := &Watch{of: &m.watches, id: s.ID(), expires: s.ExpiresAt(), chain: s.Chain()}
	return w, m.watches.add(w)
}

// polled is a cache that follows its store already.
type polled interface{ Poller() *feed.Poller }

// feedStatus emits the events of the feed.
func (m *Manager) feedStatus(err error) {
	if err == nil {
		m.emit(nil, Event{Kind: EventFeedBack})
		return
	}
	m.events.warn("the store's feed of changes does not answer: every read asks the store", "error", err)
	m.emit(nil, Event{Kind: EventFeedLost, Err: err})
}
