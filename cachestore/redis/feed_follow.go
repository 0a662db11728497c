package redis

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// follower hears of changes by RESP3 tracking in its broadcasting mode: the server
// writes the name of every key with the prefix that was changed into this connection.
//
// It does that when it has run the commands that had come in, before it writes their
// answers; some versions write some answers a little sooner, but none to a connection
// that tracks. So an answer here may be before the names of what was changed before
// it, though not by more than one round. Therefore a question is two calls, the second
// sent when the first is answered: whatever was changed before the first was run has
// been written before its answer was, and so is before the answer to the second. The
// client reads names and answers in that order, in one goroutine.
//
// The first call tells that the server still was the primary then, and has been all
// the time. So whatever was acknowledged before that, was done here.
type follower struct {
	server  *server
	client  rueidis.DedicatedClient
	conn    net.Conn     // beneath the client
	lost    <-chan error // the client reads no more
	address string       // that the connection was made to
	history string       // the server's replication ID: whose data it has

	mu     sync.Mutex
	heard  map[core.ID]struct{} // changed since the last answer; at most feed.MaxChanges
	missed error                // changes beside those
	once   sync.Once
}

// Why changes may be missing.
var (
	errEmptied  = errors.New("the server was emptied, or the connection lost")
	errTooMany  = fmt.Errorf("more than %d changes since the last question", feed.MaxChanges)
	errNotFirst = errors.New("the server is no primary")
	errHistory  = errors.New("the server has taken over another's data since")
	errMovedOn  = errors.New("another server is the primary now")
	errUnheard  = errors.New("the server does not report changes on this connection")
	errGone     = errors.New("the connection was lost")
)

// versioned are how many changes of one answer have their version. A cache keeps what
// it has itself saved when it has the version, and loads the others again.
const versioned = 512

// tracked begins the names of all sessions, and of the index.
func (s *server) tracked() string { return s.o.Prefix + "{" }

// session reads the name of a session's key.
func (s *server) session(key string) (id core.ID, ok bool) {
	if len(key) < idSize {
		return id, false
	}
	base, text := key[:len(key)-idSize], key[len(key)-idSize:]
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return id, false
	}
	return id, base == s.shard(id).base
}

// hear is called by the client's reader. No keys: all of them.
func (f *follower) hear(keys []rueidis.RedisMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if keys == nil {
		f.missed = errEmptied
	}
	for i := range keys {
		name, err := keys[i].ToString()
		if err != nil {
			f.missed = err
		} else if id, ok := f.server.session(name); ok {
			f.note(id)
		}
	}
}

func (f *follower) note(id core.ID) {
	if f.missed == nil && len(f.heard) == feed.MaxChanges {
		f.missed = errTooMany
	}
	if f.missed != nil {
		clear(f.heard) // nobody will ask for them
		return
	}
	f.heard[id] = struct{}{}
}

// take returns what was heard so far and begins anew.
func (f *follower) take() (heard map[core.ID]struct{}, missed error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	heard, f.heard = f.heard, map[core.ID]struct{}{}
	return heard, f.missed
}

// Changes implements feed.Follower.
func (f *follower) Changes(ctx context.Context) (feed.Changes, error) {
	history, gap, err := f.ask(ctx)
	if err == nil && gap == nil && history != f.history {
		gap = errHistory
	}
	if err != nil || gap != nil {
		return f.failed(ctx, gap, err)
	}
	before, missed := f.take()
	if missed != nil {
		return f.failed(ctx, missed, nil)
	}
	state, versions, err := f.versions(ctx, before)
	after, missed := f.take()
	if missed != nil {
		return f.failed(ctx, missed, nil)
	}
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, some := range []map[core.ID]struct{}{before, after} {
			for id := range some {
				f.note(id)
			}
		}
		return f.failed(ctx, nil, err)
	}
	answer := feed.Changes{Caching: state == feed.On, Entries: make([]feed.Change, 0, len(before)+len(after))}
	for id := range before {
		if _, again := after[id]; !again { // else its version may be of before that
			answer.Entries = append(answer.Entries, feed.Change{ID: id, Version: versions[id]})
		}
	}
	for id := range after {
		answer.Entries = append(answer.Entries, feed.Change{ID: id})
	}
	return answer, nil
}

// failed is an error that may pass, or else a gap.
func (f *follower) failed(ctx context.Context, gap, err error) (feed.Changes, error) {
	if gap == nil && over(ctx) == nil {
		select {
		case <-f.lost:
			gap = fmt.Errorf("%w: %w", errGone, err)
		default:
		}
	}
	if gap != nil {
		return feed.Changes{Gap: fmt.Errorf("redis: %w", gap)}, nil
	}
	return feed.Changes{}, err
}

// Close implements feed.Follower.
func (f *follower) Close() error {
	f.once.Do(func() {
		if f.conn != nil {
			_ = f.conn.Close() // or the client would wait for a server that hangs
		}
		f.client.Close()
	})
	return nil
}
