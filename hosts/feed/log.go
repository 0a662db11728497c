package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
)

// logSize is how many changes a Log keeps for those who follow it.
const logSize = MaxChanges

var (
	// errFellBehind: more changes than a Log keeps.
	errFellBehind     = errors.New("more changes than are kept since the last question")
	errFollowerClosed = errors.New("feed: this follower was closed")
)

// Log is the feed of a store to which this process alone writes. It costs nothing
// while nobody follows. The zero value is ready. It is safe for concurrent use.
type Log struct {
	followers atomic.Int64

	mu      sync.Mutex
	entries []Change // a ring of logSize, made when somebody follows
	count   uint64   // changes since then
}

// Note adds a change. A store calls it when the change can be read, before it
// acknowledges it.
func (l *Log) Note(c Change) {
	if l.followers.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries != nil {
		l.entries[l.count%logSize] = c
		l.count++
	}
}

// Saved is Note for a save; new sessions are no change.
func (l *Log) Saved(id core.ID, version, prev core.Version) {
	if prev != core.NoVersion {
		l.Note(Change{ID: id, Version: version, Prev: prev})
	}
}

// Deleted is Note for a delete.
func (l *Log) Deleted(id core.ID) { l.Note(Change{ID: id}) }

// Follow implements Source.
func (l *Log) Follow(ctx context.Context) (Follower, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = make([]Change, logSize)
	}
	l.followers.Add(1)
	return &logFollower{log: l, next: l.count}, nil
}

type logFollower struct {
	log    *Log
	next   uint64
	closed bool
}

// Changes implements Follower.
func (f *logFollower) Changes(ctx context.Context) (Changes, error) {
	if err := ctx.Err(); err != nil {
		return Changes{}, fmt.Errorf("feed: %w", err)
	}
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.closed {
		return Changes{}, errFollowerClosed
	}
	from := f.next
	f.next = l.count
	if l.count-from > logSize {
		return Changes{Gap: errFellBehind}, nil
	}
	var c Changes
	for ; from < l.count; from++ {
		c.Entries = append(c.Entries, l.entries[from%logSize])
	}
	return c, nil
}

// Close implements Follower. A second Close does nothing.
func (f *logFollower) Close() error {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	if l.followers.Add(-1) == 0 {
		l.entries, l.count = nil, 0
	}
	return nil
}
