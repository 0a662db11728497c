package cachestore

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// flying are the calls for one session that are on their way.
type flying struct {
	calls int
	mark  uint32 // moves with each change of the session that is heard of
}

// flight is a call on its way. Its answer may be of before a change that was heard
// of meanwhile, and is then not kept.
type flight struct {
	mark uint32
	lost uint64 // the ring's count of times that everything was forgotten
}

// begin notes a call before it is sent.
func (r *ring) begin(id core.ID) flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.flying[id]
	f.calls++
	r.flying[id] = f
	return flight{f.mark, r.lost}
}

// landed takes a call off and reports whether its answer may be kept.
func (r *ring) landed(f flight, id core.ID) (clean bool) {
	now := r.flying[id]
	clean = f.mark == now.mark && f.lost == r.lost
	if now.calls--; now.calls == 0 {
		delete(r.flying, id)
	} else {
		r.flying[id] = now
	}
	return clean
}

// markAll has no call for the session that is on its way keep its answer.
func (r *ring) markAll(id core.ID) {
	if f, ok := r.flying[id]; ok {
		f.mark++
		r.flying[id] = f
	}
}

// end keeps what was loaded; nil is nothing.
func (r *ring) end(f flight, id core.ID, rec *core.Record, prev core.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clean := r.landed(f, id)
	switch {
	case rec == nil:
		r.remove(id)
	case clean:
		r.put(rec, prev)
	}
}

// replace keeps what was saved. Other answers on their way are of before or after
// it: nobody knows.
func (r *ring) replace(f flight, rec *core.Record, prev core.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clean := r.landed(f, rec.ID)
	r.markAll(rec.ID)
	r.remove(rec.ID)
	if clean {
		r.put(rec, prev)
	}
}

// drop forgets a session whose state is not known.
func (r *ring) drop(f flight, id core.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.landed(f, id)
	r.markAll(id)
	r.remove(id)
}

// changed forgets a session that was changed, unless what is kept is that change
// or has replaced it.
func (r *ring) changed(c *feed.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.markAll(c.ID)
	at := r.find(c.ID)
	if at == 0 {
		return
	}
	e := r.entry(at)
	if c.Version != core.NoVersion && (e.version() == c.Version || e.prev() == c.Version) {
		return
	}
	r.remove(c.ID)
}

// forget drops everything, calls on their way included.
func (r *ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost++
	r.clear()
}
