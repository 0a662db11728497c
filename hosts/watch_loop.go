package hosts

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// Bounds of the watches of a manager.
const (
	watchBatch   = 256                    // sessions that are loaded in one command
	watchTick    = time.Second            // between two looks at what expires
	watchTimeout = 2 * time.Second        // of one load
	watchPause   = 200 * time.Millisecond // after a load that failed
)

// watches are the sessions whose end somebody waits for. What a feed reports is only
// a reason to look: a session has ended when the store says so.
type watches struct {
	m *Manager

	mu     sync.Mutex
	byID   map[core.ID]*Watch
	due    map[core.ID]struct{} // to be loaded
	poller *feed.Poller
	own    bool // the poller is not a cache's
	wake   chan struct{}
	stop   context.CancelFunc
	done   chan struct{}
}

func (ws *watches) add(w *Watch) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.byID == nil {
		if err := ws.start(); err != nil {
			return err
		}
	}
	if len(ws.byID) == 0 {
		ws.poller.Keep()
	}
	w.next = ws.byID[w.id]
	ws.byID[w.id] = w
	ws.look(w.id) // it may have ended since it was loaded
	return nil
}

// start begins to follow the store.
func (ws *watches) start() error {
	if ws.m.stopped.Err() != nil {
		return ErrClosed
	}
	if ws.poller == nil {
		source, err := FeedOf(ws.m.store)
		if err != nil {
			return err
		}
		ws.poller, ws.own = feed.NewPoller(source, feed.Options{}), true
		ws.poller.Notify(ws.m.feedStatus)
	}
	ws.byID, ws.due = map[core.ID]*Watch{}, map[core.ID]struct{}{}
	ws.wake, ws.done = make(chan struct{}, 1), make(chan struct{})
	ws.poller.Listen(ws)
	ctx, stop := context.WithCancel(ws.m.stopped)
	ws.stop = stop
	go ws.run(ctx)
	return nil
}

// stats are those of the feed, or nil where nothing follows it.
func (ws *watches) stats() *feed.Stats {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.poller == nil {
		return nil
	}
	s := ws.poller.Stats()
	return &s
}

func (ws *watches) close() {
	ws.mu.Lock()
	poller, done := ws.poller, ws.done
	own := ws.own
	ws.mu.Unlock()
	if done != nil {
		ws.stop()
		<-done
	}
	if own {
		poller.Close()
	}
}

func (ws *watches) remove(w *Watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w.over {
		return
	}
	w.over = true
	first := ws.byID[w.id]
	if first == w {
		first = w.next
	} else {
		for at := first; at != nil; at = at.next {
			if at.next == w {
				at.next = w.next
			}
		}
	}
	ws.set(w.id, first)
}

// set keeps the watches of a session; nil is none.
func (ws *watches) set(id core.ID, first *Watch) {
	if first != nil {
		ws.byID[id] = first
		return
	}
	if _, ok := ws.byID[id]; !ok {
		return
	}
	delete(ws.byID, id)
	delete(ws.due, id)
	if len(ws.byID) == 0 {
		ws.poller.Release()
	}
}

// look has a session loaded soon.
func (ws *watches) look(id core.ID) {
	ws.due[id] = struct{}{}
	select {
	case ws.wake <- struct{}{}:
	default:
	}
}

// Changed implements feed.Listener.
func (ws *watches) Changed(changes []feed.Change) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for i := range changes {
		if ws.byID[changes[i].ID] != nil {
			ws.look(changes[i].ID)
		}
	}
}

// Missed implements feed.Listener.
func (ws *watches) Missed(error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for id := range ws.byID {
		ws.look(id)
	}
}

func (ws *watches) run(ctx context.Context) {
	defer close(ws.done)
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ws.wake:
		case <-tick.C:
			ws.expire()
		}
		for ctx.Err() == nil && ws.judge(ctx) {
		}
	}
}

// expire has those looked at that may be over by now.
func (ws *watches) expire() {
	now := ws.m.now()
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for id, w := range ws.byID {
		if now >= w.expires {
			ws.look(id)
		}
	}
}

// judge loads some of the sessions that are due. It reports whether there are more.
func (ws *watches) judge(ctx context.Context) bool {
	ids := ws.some()
	if len(ids) == 0 {
		return false
	}
	loading, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	failed := false
	for i, a := range ws.load(loading, ids) {
		switch {
		case a.Err == nil || errors.Is(a.Err, core.ErrNotFound) || errors.Is(a.Err, core.ErrCorrupt):
			ws.settle(ids[i], &a)
		default:
			failed = true
			ws.mu.Lock()
			if ws.byID[ids[i]] != nil {
				ws.look(ids[i])
			}
			ws.mu.Unlock()
		}
	}
	if failed {
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
	return true
}

// some takes IDs that are due.
func (ws *watches) some() []core.ID {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ids := make([]core.ID, 0, min(len(ws.due), watchBatch))
	for id := range ws.due {
		if len(ids) == watchBatch {
			break
		}
		delete(ws.due, id)
		ids = append(ids, id)
	}
	if len(ids) > 0 && len(ws.due) == 0 {
		ws.due = map[core.ID]struct{}{} // a map keeps the room of all that were ever in it
	}
	return ids
}

func (ws *watches) load(ctx context.Context, ids []core.ID) []Loaded {
	if b, ok := As[Batcher](ws.m.store); ok {
		return b.LoadMany(ctx, ids)
	}
	answers := make([]Loaded, len(ids))
	for i, id := range ids {
		answers[i].Record, answers[i].Err = ws.m.store.Load(ctx, id)
	}
	return answers
}

// settle closes the watches of a session that are over by what is stored.
func (ws *watches) settle(id core.ID, a *Loaded) {
	var s *core.Session
	err := a.Err
	if err == nil {
		s, err = ws.m.machine.Resume(core.ByID(id), a.Record, core.Request{AnyTenant: true}, ws.m.now())
	}
	if _, over := errors.AsType[*core.Refusal](err); err != nil && !over {
		return // the engine failed: that is no reason to end anything
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var stay *Watch
	for w := ws.byID[id]; w != nil; {
		next := w.next
		if s == nil || s.Chain() != w.chain {
			w.end()
		} else {
			w.expires, w.next = s.ExpiresAt(), stay
			stay = w
		}
		w = next
	}
	ws.set(id, stay)
}
