package filled

import (
	"context"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
)

const pipelined = 500 // commands that are sent at once

func inRedis(b testing.TB) lineup {
	o, err := goredis.ParseURL(servers.Redis(b))
	require.NoError(b, err)
	client := goredis.NewClient(o)
	b.Cleanup(func() { require.NoError(b, client.Close()) })
	prefix := unique() + ":"
	b.Cleanup(func() { require.NoError(b, forget(client, prefix)) })
	set := func(prefix string) func(context.Context, []core.Record) error {
		return func(ctx context.Context, records []core.Record) error { return setMany(ctx, client, prefix, records) }
	}
	l := lineup{
		empty:  ours(opened(b, withQuery(servers.Redis(b), "prefix="+prefix+"empty:"))),
		filled: ours(opened(b, withQuery(servers.Redis(b), "prefix="+prefix+"filled:"))),
		peer:   scsEngine(goredisstore.NewWithPrefix(client, prefix+"theirs:")),
		raw:    &engine{bulk: set(prefix + "raw:")},
	}
	l.peer.bulk = set(prefix + "theirs:")
	return l
}

// setMany sets each record with its expiry, all by one connection in pipelines.
func setMany(ctx context.Context, client *goredis.Client, prefix string, records []core.Record) error {
	for at := 0; at < len(records); at += pipelined {
		p := client.Pipeline()
		for _, r := range records[at:min(at+pipelined, len(records))] {
			p.Set(ctx, prefix+token(r.ID), r.Sealed, time.Until(moment(r.ExpiresAt)))
		}
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forget removes all keys of a prefix.
func forget(client *goredis.Client, prefix string) error {
	ctx := context.Background()
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(ctx, cursor, "*"+prefix+"*", 10*pipelined).Result()
		if err == nil && len(keys) > 0 {
			err = client.Unlink(ctx, keys...).Err()
		}
		if err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}
