package demo

import (
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of the feed.
const (
	maxKept       = 256 // events, of all sessions
	maxStreams    = 64  // in this process
	maxOwnStreams = 2   // of one session: a browser has six connections to share
)

// step is an event as a page shows it. It has no secret and no data.
type step struct {
	number uint64
	id     core.ID
	over   bool // the session has ended: no step follows

	Kind   string    `json:"kind"`
	Reason string    `json:"reason,omitempty"`
	User   string    `json:"user,omitempty"`
	At     time.Time `json:"at"`
}

// feed keeps the latest events of sessions for the pages that show them live.
type feed struct {
	mu      sync.Mutex
	kept    [maxKept]step
	next    uint64        // number of the next step
	more    chan struct{} // closed by the next step
	streams map[core.ID]int
	open    int
	done    chan struct{} // closed when the server stops
	stop    func()
}

// newFeed numbers its steps from the time on: all follow those of a server before.
func newFeed(now time.Time) *feed {
	f := &feed{next: uint64(now.UnixMilli()) << 10, more: make(chan struct{}), streams: map[core.ID]int{}, done: make(chan struct{})}
	f.stop = sync.OnceFunc(func() { close(f.done) })
	return f
}

// hear takes an event of the library, if it is of one session.
func (f *feed) hear(e hosts.Event) {
	if e.ID.IsZero() {
		return
	}
	s := step{id: e.ID, Kind: string(e.Kind), User: e.User, At: e.At.Time(), over: e.Kind == hosts.EventEnded}
	if e.Reason != core.ReasonNone {
		s.Reason = e.Reason.String()
	}
	f.add(s)
}

// add keeps a step in place of the oldest.
func (f *feed) add(s step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.number = f.next
	f.kept[s.number%maxKept] = s
	f.next++
	close(f.more)
	f.more = make(chan struct{})
}

// since returns the steps of a session from a number on, the number to ask for
// next, and what is closed when there are more.
func (f *feed) since(id core.ID, from uint64) (list []step, next uint64, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := max(from, f.next-maxKept); n < f.next; n++ {
		if s := f.kept[n%maxKept]; s.id == id {
			list = append(list, s)
		}
	}
	return list, f.next, f.more
}

// join counts a stream, unless there are too many.
func (f *feed) join(id core.ID) (leave func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open >= maxStreams || f.streams[id] >= maxOwnStreams {
		return nil, false
	}
	f.open++
	f.streams[id]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.open--
		if f.streams[id]--; f.streams[id] == 0 {
			delete(f.streams, id)
		}
	}, true
}
