package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// maxReads of one question: a connection that the server has closed is noticed
// when it is used, and more than keptConns of those are not kept.
const maxReads = keptConns + 2

// server is one server, or a cluster.
type server struct {
	client  rueidis.Client
	cluster bool
	o       Options
	shards  *[shardCount]shard
	turns   registry
	whole   *part
	parts   []*part
	partOf  [shardCount]uint8
	cached  counter // loads through the cache
	release sync.Once
}

var _ coalesce.Backend = (*part)(nil)

func (s *server) shard(id core.ID) *shard { return &s.shards[id[0]] }

// part of a session.
func (s *server) part(id core.ID) *part { return s.parts[s.partOf[id[0]]] }

// Load implements hosts.Store.
func (s *part) Load(ctx context.Context, id core.ID) (core.Record, error) {
	t, err := s.gate.enter(ctx)
	if err != nil {
		return core.Record{}, err
	}
	defer t.leave()
	key := s.shard(id).record(id)
	result := t.read(func() []rueidis.RedisResult {
		return []rueidis.RedisResult{s.client.Do(t, s.client.B().Get().Key(key).Build())}
	})[0]
	return record(t.Context, id, result)
}

// record reads the answer to a GET.
func record(ctx context.Context, id core.ID, result rueidis.RedisResult) (core.Record, error) {
	m, err := result.ToMessage()
	if err != nil && !rueidis.IsRedisNil(err) {
		return core.Record{}, fail(ctx, "load", err)
	}
	return value(ctx, id, &m)
}

// value reads what is stored of a session.
func value(ctx context.Context, id core.ID, m *rueidis.RedisMessage) (core.Record, error) {
	if m.IsNil() {
		return core.Record{}, errNotFound
	}
	b, err := m.AsBytes()
	if err != nil {
		return core.Record{}, fail(ctx, "load", err)
	}
	return decode(id, b)
}

// read asks again what can be asked again, over connections that may have been
// closed while nobody used them.
func (t *turn) read(ask func() []rueidis.RedisResult) []rueidis.RedisResult {
	for try := 1; ; try++ {
		results := ask()
		if try == maxReads || over(t.Context) != nil || !anyBroken(results) {
			return results
		}
	}
}

func anyBroken(results []rueidis.RedisResult) bool {
	for _, r := range results {
		if broken(r.NonRedisError()) {
			return true
		}
	}
	return false
}

// broken reports whether the other side has closed a connection.
func broken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// Save implements hosts.Store.
func (s *part) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return s.SaveMany(ctx, []hosts.Saving{{Record: r, Prev: prev}})[0]
}

func (s *server) deletion(id core.ID) job {
	sh := s.shard(id)
	return job{&deleteScript, []string{sh.record(id), sh.index}, []string{string(id[1:])}}
}

// Delete implements hosts.Store.
func (s *part) Delete(ctx context.Context, id core.ID) error {
	t, err := s.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer t.leave()
	j := s.deletion(id)
	doing := fmt.Sprintf("end session %v", id)
	if s.o.WaitReplicas > 0 {
		if err := s.deleteAndWait(t, doing, j); err != nil || s.o.Cache == 0 {
			return err
		}
		err = s.forget(t, []job{j})
	} else {
		err = s.run(t, []job{j})[0].Error()
	}
	if err != nil {
		return t.fail(doing, err)
	}
	return nil
}
