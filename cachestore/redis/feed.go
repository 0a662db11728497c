package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

var _ feed.Caching = (*Store)(nil)

var (
	errCluster = fmt.Errorf("redis: a cluster: %w; use one server or sentinels, or leave the cache of sessions out", feed.ErrUnsupported)
	errStale   = fmt.Errorf("redis: with Options.Cache a load may be old: %w that a cache can follow; leave Options.Cache at 0", feed.ErrUnsupported)
	errOldWire = fmt.Errorf("redis: the server does not speak RESP3: %w; use Redis 6.2 or Valkey 7.2, or newer", feed.ErrUnsupported)
)

// CanCache reports whether a cache can follow the store, as it was opened: an error
// wraps feed.ErrUnsupported and says what to do.
func (s *Store) CanCache() error {
	switch {
	case s.server.cluster:
		return errCluster
	case s.server.o.Cache > 0:
		return errStale
	}
	return nil
}

// CanFollow reports whether the store has a feed, as it was opened: an error wraps
// feed.ErrUnsupported and says what to do.
func (s *Store) CanFollow() error {
	if s.server.cluster {
		return errCluster
	}
	return nil
}

// Follow implements feed.Source, on a connection of its own. The server needs no
// preparation, and does nothing for the feed while nobody follows. The user needs the
// rights that the package documentation lists for it.
//
// The answers have every change of a session's key, from any writer: another release,
// an operator, an expiry, saves that only note a use too, since the server does not
// tell those apart. What has emptied the server, and everything by which a change may
// be missing, is a gap.
func (s *Store) Follow(ctx context.Context) (feed.Follower, error) {
	if s.server.cluster {
		return nil, errCluster
	}
	f := &follower{server: s.server, address: s.server.primary(), heard: map[core.ID]struct{}{}}
	if err := f.connect(ctx); err != nil {
		return nil, err
	}
	if err := f.begin(ctx); err != nil {
		_ = f.Close() // there is a better error
		return nil, err
	}
	return f, nil
}

// primary is the address of the server that calls go to. Sentinels may change it.
func (s *server) primary() string {
	for address := range s.client.Nodes() {
		return address
	}
	return ""
}

// connect takes a new connection from the client, for this follower alone.
func (f *follower) connect(ctx context.Context) error {
	taken := make(chan rueidis.DedicatedClient, 1)
	go func() { // the client does not look at a context while it connects
		c, _ := f.server.client.Dedicate()
		taken <- c
	}()
	select {
	case f.client = <-taken:
	case <-ctx.Done():
		go func() { (<-taken).Close() }()
		return fail(ctx, following, ctx.Err())
	}
	// Its first command is a turn's, which learns of the connection beneath. With
	// Options.Cache the client has switched on another form of tracking.
	err := f.server.inTurn(ctx, func(t *turn) error {
		info, err := f.client.Do(t, f.client.B().ClientTrackinginfo().Build()).ToMessage()
		if len(t.conns) > 0 {
			f.conn = t.conns[0]
		}
		if err == nil && !info.IsMap() {
			return errOldWire
		}
		if err == nil {
			err = f.client.Do(t, f.client.B().ClientTracking().Off().Build()).Error()
		}
		return denied(t.Context, err)
	})
	if err != nil {
		_ = f.Close() // there is a better error
	}
	return err
}

// begin has the server report changes from now on.
func (f *follower) begin(ctx context.Context) error {
	f.lost = f.client.SetOnInvalidations(f.hear)
	b := f.client.B
	// A connection that has subscribed to something is among those whose unread
	// messages the server bounds, by client-output-buffer-limit pubsub.
	for _, r := range f.client.DoMulti(ctx,
		b().ClientTracking().On().Prefix().Prefix(f.server.tracked()).Bcast().Build(),
		b().Subscribe().Channel(f.server.tracked()).Build(),
	) {
		if err := r.Error(); err != nil {
			return denied(ctx, err)
		}
	}
	var gap, err error
	f.history, gap, err = f.ask(ctx)
	if err == nil && gap != nil {
		err = fmt.Errorf("redis: %s: %w: %w", following, hosts.ErrUnavailable, gap)
	}
	return err
}

const following = "follow the changes of sessions"

// denied is fail, with the rights that following takes.
func denied(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if answer, ok := rueidis.IsRedisErr(err); ok && strings.HasPrefix(answer.Error(), "NOPERM") {
		return fmt.Errorf("redis: %s: %w: the server answers NOPERM; grant the user +client +info +subscribe and the channels &session:*, with your prefix", following, hosts.ErrRefused)
	}
	return fail(ctx, following, err)
}
