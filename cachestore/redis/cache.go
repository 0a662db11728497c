package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"

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
		return s.Load(ctx, id) // the connection of the cache has just broken, which emptied it
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
	mu     sync.Mutex
	n      int
	closed bool
	none   sync.WaitGroup
}

func (c *counter) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return errClosed
	case c.n >= maxCached:
		return fmt.Errorf("redis: %d loads are under way: %w", maxCached, hosts.ErrBusy)
	}
	c.n++
	c.none.Add(1)
	return nil
}

func (c *counter) leave() {
	c.mu.Lock()
	c.n--
	c.mu.Unlock()
	c.none.Done()
}

func (c *counter) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.none.Wait()
}
