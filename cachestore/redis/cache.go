package redis

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of the cache, for each node.
const (
	cacheBytes = 64 << 20
	ringScale  = 13                 // 2 to this power are the calls that its pipeline takes
	maxCached  = 1 << ringScale / 2 // loads under way; more get hosts.ErrBusy
)

// loadCached answers from memory, or asks and remembers.
func (s *server) loadCached(ctx context.Context, id core.ID) (core.Record, error) {
	if err := ctx.Err(); err != nil {
		return core.Record{}, fmt.Errorf("redis: %w", err)
	}
	if err := s.cached.enter(); err != nil {
		return core.Record{}, err
	}
	defer s.cached.leave()
	command := s.client.B().Get().Key(s.shard(id).record(id)).Cache().ToStaticTTL()
	result := s.client.DoCache(ctx, command, s.o.Cache)
	err := result.Error()
	if err != nil && over(ctx) == nil && (broken(err) || errors.Is(err, rueidis.ErrDoCacheAborted)) {
		return s.part(id).Load(ctx, id) // the connection of the cache has just broken, which emptied it
	}
	return record(ctx, id, result)
}

// forget returns when the cache has forgotten what the jobs have changed. The
// server tells the cache's connection of a change when it makes it, and
// answers there in order: when one more answer has come, what was cached is
// forgotten, and no older read of it is under way.
func (s *server) forget(t *turn, jobs []job) error {
	// Calls share this connection, so that no deadline of it ends one of them.
	ctx, cancel := context.WithDeadline(t.Context, t.deadline)
	defer cancel()
	commands := make([]rueidis.Completed, len(jobs))
	for i, j := range jobs {
		commands[i] = s.client.B().Exists().Key(j.keys[0]).Build().ToPipe()
	}
	for _, r := range s.client.DoMulti(ctx, commands...) {
		// A broken connection has no cache any more.
		if err := r.Error(); err != nil && !broken(err) {
			return err
		}
	}
	return nil
}

// counter counts loads in and out.
type counter struct {
	n      atomic.Int64
	closed atomic.Bool
	none   chan struct{} // told when the last has left a closed counter
}

func (c *counter) enter() error {
	switch n := c.n.Add(1); {
	case c.closed.Load():
		c.leave()
		return errClosed
	case n > maxCached:
		c.leave()
		return fmt.Errorf("redis: %d loads are under way: %w", maxCached, hosts.ErrBusy)
	}
	return nil
}

func (c *counter) leave() {
	if c.n.Add(-1) == 0 && c.closed.Load() {
		select {
		case c.none <- struct{}{}:
		default:
		}
	}
}

// close returns when all have left.
func (c *counter) close() {
	if !c.closed.Swap(true) && c.n.Load() > 0 {
		<-c.none
	}
}
