package redis

import (
	"context"
	"io"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Store keeps sessions in Redis or Valkey. It is safe for concurrent use, also
// by other processes on the same keys.
type Store struct {
	server *server
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
	_ hosts.Batcher = (*Store)(nil)
	_ hosts.Queued  = (*Store)(nil)

	_ hosts.Replicated = (*Store)(nil)
	_ io.Closer        = (*Store)(nil)
)

// Load implements hosts.Store. A damaged value is core.ErrCorrupt; one of a
// newer format is hosts.ErrUnavailable.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if s.server.o.Cache > 0 {
		return s.server.loadCached(ctx, id)
	}
	return s.server.part(id).gather.Load(ctx, id)
}

// Save implements hosts.Store. After an error of a connection that broke on
// the way, or of a context that ended, it may have been applied; the same save
// again is safe.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return s.server.announced(ctx, r, s.server.part(r.ID).gather.Save(ctx, r, prev))
}

// Delete implements hosts.Store. With Options.WaitReplicas it fails when too
// few replicas have it in time; the session has ended on the primary then, and
// the same Delete again waits again.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	return s.server.part(id).Delete(ctx, id)
}

// WaitForReplicas implements hosts.Replicated, for Options.WaitReplicas: in a cluster it
// asks the node of each of the 256 shards in turn.
func (s *Store) WaitForReplicas(ctx context.Context) error {
	if s.server.o.WaitReplicas == 0 {
		return nil
	}
	shards := 1
	if s.server.cluster {
		shards = shardCount
	}
	for n := range shards {
		id := core.ID{0: byte(n), 15: 1} // nobody's
		if err := s.server.part(id).waitForReplicas(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Queues implements hosts.Queued: those of all nodes together.
func (s *Store) Queues() (all hosts.Queues) {
	for _, p := range s.server.parts {
		all.Add(p.gather.Queues())
	}
	return all
}

// LoadMany implements hosts.Batcher. It never answers from the cache.
func (s *Store) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	return s.server.whole.LoadMany(ctx, ids)
}

// SaveMany implements hosts.Batcher. Saves of one shard that fail together have
// an error each.
func (s *Store) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	errs := s.server.whole.SaveMany(ctx, saves)
	s.server.announceAll(ctx, saves, errs)
	return errs
}

// Close answers calls that wait with hosts.ErrClosed, waits for those on the
// wire, at most Options.Timeout, and closes the connections. It may be called
// more than once.
func (s *Store) Close() error { return s.server.close() }
