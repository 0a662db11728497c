package cachestore

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// marked is a memory store that caches may be used on, as one that processes share. Its
// answers can be replaced.
type marked struct {
	*Store
	mark    atomic.Int64
	answers atomic.Pointer[func(context.Context, feed.Follower) (feed.Changes, error)]
}

func newMarked(t testing.TB) *marked {
	s, err := Open(Options{MaxBytes: 256 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &marked{Store: s}
}

// newCached is a cache before a store, closed before it.
func newCached(t testing.TB, s *marked, o CachedOptions) *Cached {
	c, err := NewCached(s, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func (s *marked) Follow(ctx context.Context) (feed.Follower, error) {
	f, err := s.Store.Follow(ctx)
	if err != nil {
		return nil, err
	}
	return markedFollower{f, s}, nil
}

type markedFollower struct {
	feed.Follower
	s *marked
}

func (f markedFollower) Changes(ctx context.Context) (feed.Changes, error) {
	if answer := f.s.answers.Load(); answer != nil {
		return (*answer)(ctx, f.Follower)
	}
	on := feed.State(f.s.mark.Load()) == feed.On
	c, err := f.Follower.Changes(ctx)
	c.Caching = on
	return c, err
}

// answer has every question answered by f; nil is as before.
func (s *marked) answer(f func(context.Context, feed.Follower) (feed.Changes, error)) {
	if f == nil {
		s.answers.Store(nil)
		return
	}
	s.answers.Store(&f)
}

func (s *marked) EnableCaching(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.mark.CompareAndSwap(int64(feed.None), int64(feed.On)) && feed.State(s.mark.Load()) != feed.On {
		return feed.ErrCachingOff
	}
	return nil
}

func (s *marked) CachingState(ctx context.Context) (feed.State, error) {
	return feed.State(s.mark.Load()), ctx.Err()
}

func (s *marked) SetCaching(ctx context.Context, to feed.State) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mark.Store(int64(to))
	return nil
}

// kept is a session of n sealed bytes, the i-th.
func kept(i, n int) core.Record {
	id := core.ID{15: 1}
	h := hashID(core.ID{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16)})
	id[0], id[1], id[2], id[3] = byte(i), byte(i>>8), byte(i>>16), byte(h)
	id[4], id[5], id[6], id[7] = byte(h>>8), byte(h>>16), byte(h>>24), byte(i)
	return core.Record{ID: id, Version: 1, User: "alice", CreatedAt: 1, SeenAt: 1, ExpiresAt: 1 << 45, Sealed: make([]byte, n)}
}
