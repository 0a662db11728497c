package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	callers   = 64
	each      = 200 // sessions of one caller
	sealedLen = 300
	rounds    = 11
)

// bench is a table of sessions, and two ways to it.
type bench struct {
	testing.TB
	url, table string
	sessions   [callers][]core.Record
}

func newBench(b testing.TB) *bench {
	w := &bench{TB: b, url: servers.Postgres(b), table: newTable(b)}
	s := w.open(Options{})
	for c := range w.sessions {
		var saves []hosts.Saving
		for range each {
			r := core.Record{ID: randomID(), Version: randomVersion(), User: fmt.Sprintf("user-%d", c), CreatedAt: core.Day,
				SeenAt: core.Day, ExpiresAt: 2 * core.Day, Sealed: sealedBytes(sealedLen)}
			w.sessions[c] = append(w.sessions[c], r)
			saves = append(saves, hosts.Saving{Record: r})
		}
		for _, err := range s.SaveMany(b.Context(), saves) {
			require.NoError(b, err)
		}
	}
	_, err := admin(b).Exec("VACUUM ANALYZE " + w.table)
	require.NoError(b, err)
	return w
}

func sealedBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func randomID() (id core.ID) {
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	return id
}

func randomVersion() core.Version { return core.Version(rand.Uint64()>>1 | 1) }

func (w *bench) open(o Options) *dbstore.Store {
	o.Table = w.table
	return openStore(w, o)
}

// pool is the driver's own pool, without database/sql.
func (w *bench) pool(conns int32, params map[string]string) *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(w.url)
	require.NoError(w, err)
	config.MaxConns, config.MinConns = conns, conns
	for k, v := range params {
		config.ConnConfig.RuntimeParams[k] = v
	}
	p, err := pgxpool.NewWithConfig(w.Context(), config)
	require.NoError(w, err)
	w.Cleanup(p.Close)
	return p
}

// calls makes n calls from each of the first callers.
func (w *bench) calls(callers, n int, call func(ctx context.Context, r *core.Record) error) func() {
	return func() {
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range n {
					if err := call(w.Context(), &w.sessions[c][i%each]); err != nil {
						w.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// next is the state that follows, as a touch makes it.
func next(r *core.Record) (is core.Record, prev core.Version) {
	is = *r
	is.Version = randomVersion()
	is.SeenAt += core.Minute
	is.ExpiresAt += core.Minute
	return is, r.Version
}

func saveBy(s hosts.Store, touch bool) func(context.Context, *core.Record) error {
	return func(ctx context.Context, r *core.Record) error {
		if touch {
			ctx = hosts.TouchContext(ctx)
		}
		is, prev := next(r)
		err := s.Save(ctx, is, prev)
		*r = is
		return err
	}
}

func loadBy(s hosts.Store) func(context.Context, *core.Record) error {
	return func(ctx context.Context, r *core.Record) error {
		_, err := s.Load(ctx, r.ID)
		return err
	}
}

type querier interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}

// loadBare and saveBare do the store's own statement by the driver's own verbs.
func (w *bench) loadBare(q querier) func(context.Context, *core.Record) error {
	text := "SELECT " + dbstore.Columns + " FROM " + w.table + " WHERE id = $1"
	return func(ctx context.Context, r *core.Record) error {
		var got core.Record
		var id []byte
		return q.QueryRow(ctx, text, r.ID[:]).Scan(&id, &got.Version, &got.Tenant, &got.User, &got.CreatedAt, &got.SeenAt, &got.ExpiresAt, &got.Sealed)
	}
}

func (w *bench) saveBare(p *pgxpool.Pool) func(context.Context, *core.Record) error {
	text := "UPDATE " + w.table + " SET version = $1, tenant_id = $2, user_id = $3, created_at = $4, seen_at = $5, expires_at = $6, " +
		"expiry_hour = LEAST(expiry_hour, $7), data = $8 WHERE id = $9 AND version = $10"
	return func(ctx context.Context, r *core.Record) error {
		is, prev := next(r)
		tag, err := p.Exec(ctx, text, int64(is.Version), is.Tenant, is.User, is.CreatedAt, is.SeenAt, is.ExpiresAt,
			dbstore.Bucket(is.ExpiresAt), is.Sealed, is.ID[:], int64(prev))
		if err == nil && tag.RowsAffected() != 1 {
			err = core.ErrConflict
		}
		*r = is
		return err
	}
}

func perSecond(n int, d float64) string { return fmt.Sprintf("%.0f/s", float64(n)/d) }

func BenchmarkRatioLoad(b *testing.B) {
	w := newBench(b)
	ours, bare := w.open(Options{}), w.pool(8, nil)
	const n = 100
	for b.Loop() {
		t := ratio.Interleave(rounds, w.calls(callers, n, loadBy(ours)), w.calls(callers, n, w.loadBare(bare)))
		fmt.Printf("\n64 callers load: store %s, prepared on a pool of 8 %s\n", perSecond(callers*n, t[0].Seconds()), perSecond(callers*n, t[1].Seconds()))
		ratio.Print("postgres-load-64-of-pool-8", t[1].Seconds()/t[0].Seconds(), 3, true)
	}
}

func BenchmarkRatioLoadAlone(b *testing.B) {
	w := newBench(b)
	bare := func() *pgx.Conn {
		conn, err := pgx.Connect(b.Context(), w.url)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, conn.Close(context.Background())) })
		return conn
	}
	const n, connections = 250, 8
	for b.Loop() {
		t := ratio.Interleave(81,
			ratio.InTurn(connections, func() func() { return w.calls(1, n, loadBy(w.open(Options{}))) }),
			ratio.InTurn(connections, func() func() { return w.calls(1, n, w.loadBare(bare())) }))
		fmt.Printf("\n1 caller loads: store %s, bare pgx %s\n", perSecond(n, t[0].Seconds()), perSecond(n, t[1].Seconds()))
		ratio.Print("postgres-load-1-of-bare-pgx", t[1].Seconds()/t[0].Seconds(), 0.9, true)
	}
}

func BenchmarkRatioSave(b *testing.B) {
	w := newBench(b)
	ours, bare := w.open(Options{}), w.pool(64, nil)
	const n = 100
	for b.Loop() {
		t := ratio.Interleave(rounds, w.calls(callers, n, saveBy(ours, false)), w.calls(callers, n, w.saveBare(bare)))
		fmt.Printf("\n64 callers save: store %s, prepared on a pool of 64 %s\n", perSecond(callers*n, t[0].Seconds()), perSecond(callers*n, t[1].Seconds()))
		ratio.Print("postgres-save-64-of-pool-64", t[1].Seconds()/t[0].Seconds(), 1.8, true)
	}
}

func BenchmarkRatioTouchFast(b *testing.B) {
	w := newBench(b)
	ours, bare := w.open(Options{Fast: true}), w.pool(8, map[string]string{"synchronous_commit": "off"})
	const n = 100
	for b.Loop() {
		t := ratio.Interleave(rounds, w.calls(callers, n, saveBy(ours, true)), w.calls(callers, n, w.saveBare(bare)))
		fmt.Printf("\n64 callers touch, fast: store %s, prepared on a pool of 8 with synchronous_commit=off %s\n", perSecond(callers*n, t[0].Seconds()), perSecond(callers*n, t[1].Seconds()))
		ratio.Print("postgres-touch-fast-64-of-pool-8", t[1].Seconds()/t[0].Seconds(), 2.5, true)
	}
}

// BenchmarkRatioFeed compares calls by 64 callers with the feed on, and somebody who
// asks, with those of a store that was never cached.
func BenchmarkRatioFeed(b *testing.B) {
	for name, touch := range map[string]bool{"save": false, "touch": true} {
		b.Run(name, func(b *testing.B) {
			with, without := newBench(b), newBench(b)
			s := with.open(Options{})
			cached, err := cachestore.NewCached(s, cachestore.CachedOptions{})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, cached.Close()) })
			cached.Poller().Keep()
			const n = 100
			for b.Loop() {
				t := ratio.Interleave(rounds, with.calls(callers, n, saveBy(s, touch)), without.calls(callers, n, saveBy(without.open(Options{}), touch)))
				fmt.Printf("\n64 callers %s: with the feed %s, without %s\n", name, perSecond(callers*n, t[0].Seconds()), perSecond(callers*n, t[1].Seconds()))
				ratio.Print("postgres-"+name+"-with-feed-of-without", t[1].Seconds()/t[0].Seconds(), 0.8, true)
			}
			require.Positive(b, cached.Stats().Feed.Questions)
		})
	}
}
