package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/hosts"
)

// The client of a cluster or of sentinels looks for changes that it was not
// told of.
const topologyEvery = 5 * time.Second

// Open connects to a server, a cluster, or the primary that sentinels name:
//
//	redis://user:password@host:port/db            one server; the parts but host may be left out
//	redis+cluster://host:port,host:port           a cluster; some of its nodes are enough
//	redis+sentinel://host:port,host:port/name/db  what the sentinels call name; user and password are the server's
//
// With rediss in place of redis the connections are TLS. ?prefix=app: behind
// all of these is Options.Prefix. Special characters are percent-encoded. ctx
// bounds the opening alone.
//
// Open refuses a URL or an option with a *hosts.ConfigError, a server that
// cannot be reached or is a replica with hosts.ErrUnavailable, and one that
// may drop sessions with ErrEvicts.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	g, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("redis: open: %w", err)
	}
	if g.prefix != "" {
		o.Prefix = g.prefix
	}
	if err := o.fill(); err != nil {
		return nil, fmt.Errorf("redis: open: %w", err)
	}
	s := &server{cluster: g.cluster, o: o, shards: shardsOf(o.Prefix), cached: counter{none: make(chan struct{}, 1)}}
	s.whole = &part{server: s, gate: newGate(&s.turns, 0, o.Timeout)}
	if s.client, err = connect(ctx, clientOption(g, &o, &s.turns)); err != nil {
		return nil, connectFailed(ctx, err)
	}
	err = s.examine(ctx)
	if err == nil {
		err = s.divide(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.migrate(ctx)
	return &Store{s}, nil
}

// clientOption is how the client behaves: nothing is sent twice, each call has
// a connection for itself, and no reply waits in another's goroutine. Calls are
// gathered by the coalescer, which does it better than a pipeline does.
func clientOption(g target, o *Options, turns *registry) rueidis.ClientOption {
	c := rueidis.ClientOption{
		InitAddress:           g.hosts,
		Username:              g.user,
		Password:              g.password,
		SelectDB:              g.db,
		Dialer:                net.Dialer{Timeout: o.Timeout},
		ConnWriteTimeout:      2 * o.Timeout, // a turn's own deadline comes first
		DialCtxFn:             turns.dial,
		DisableRetry:          true,
		DisableAutoPipelining: true,
		DisableCache:          o.Cache == 0,
		PipelineMultiplex:     -1, // one shared connection to a node; see cache.go
		BlockingPoolSize:      maxGates * maxCalls,
		BlockingPoolMinSize:   keptConns,
		BlockingPoolCleanup:   idleTime,
		ReadBufferEachConn:    bufferSize,
		WriteBufferEachConn:   bufferSize,
		RingScaleEachConn:     8,
		ForceSingleClient:     !g.cluster && g.master == "",
		Sentinel:              rueidis.SentinelOption{MasterSet: g.master, TopologyRefreshInterval: topologyEvery, Username: o.SentinelUser, Password: string(o.SentinelPassword.Bytes())},
		ClusterOption:         rueidis.ClusterOption{ShardsRefreshInterval: topologyEvery, MaxMovedRedirections: maxRedirect},
	}
	if o.Cache > 0 {
		c.CacheSizeEachConn, c.RingScaleEachConn = cacheBytes, ringScale
	}
	if g.tls {
		c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if o.TLS != nil {
			c.TLSConfig = o.TLS.Clone()
		}
		c.Sentinel.TLSConfig = c.TLSConfig
	}
	c.Sentinel.Dialer = c.Dialer
	return c
}

// connect is rueidis.NewClient that returns when ctx ends; what it opens later
// is closed.
func connect(ctx context.Context, option rueidis.ClientOption) (rueidis.Client, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type opened struct {
		client rueidis.Client
		err    error
	}
	done := make(chan opened, 1)
	go func() {
		c, err := rueidis.NewClient(option)
		done <- opened{c, err}
	}()
	release := func(o opened) {
		if o.err != nil && o.client != nil {
			o.client.Close()
		}
	}
	select {
	case o := <-done:
		release(o)
		return o.client, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.client != nil {
				o.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func connectFailed(ctx context.Context, err error) error {
	if errors.Is(err, rueidis.ErrNoCache) {
		return fmt.Errorf("redis: connect: the server does not support client-side caching: %w; leave Options.Cache off", hosts.ErrUnavailable)
	}
	return fail(ctx, "connect", err)
}
