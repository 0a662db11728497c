package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

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
	w := &bench{TB: b, url: servers.MySQL(b), table: newTable(b)}
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
	_, err := admin(b).Exec("ANALYZE TABLE " + w.table)
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

// pool is a database of the driver's, without a store.
func (w *bench) pool(conns int) *sql.DB {
	db := admin(w)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db
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

// loadBare and saveBare do the store's own statement, prepared.
func (w *bench) loadBare(db *sql.DB) func(context.Context, *core.Record) error {
	st, err := db.Prepare("SELECT " + dbstore.Columns + " FROM " + w.table + " WHERE id = ?")
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, st.Close()) })
	return func(ctx context.Context, r *core.Record) error {
		_, err := dbstore.Scan(st.QueryRowContext(ctx, r.ID[:]))
		return err
	}
}

func (w *bench) saveBare(db *sql.DB) func(context.Context, *core.Record) error {
	st, err := db.Prepare("UPDATE " + w.table + " SET version = ?, tenant_id = ?, user_id = ?, created_at = ?, seen_at = ?, expires_at = ?, " +
		"expiry_hour = LEAST(expiry_hour, ?), data = ? WHERE id = ? AND version = ?")
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, st.Close()) })
	return func(ctx context.Context, r *core.Record) error {
		is, prev := next(r)
		res, err := st.ExecContext(ctx, int64(is.Version), is.Tenant, is.User, int64(is.CreatedAt), int64(is.SeenAt), int64(is.ExpiresAt),
			dbstore.Bucket(is.ExpiresAt), is.Sealed, is.ID[:], int64(prev))
		if err == nil {
			if n, _ := res.RowsAffected(); n != 1 {
				err = core.ErrConflict
			}
		}
		*r = is
		return err
	}
}

func perSecond(n int, d float64) string { return fmt.Sprintf("%.0f/s", float64(n)/d) }

func BenchmarkRatioLoad(b *testing.B) {
	w := newBench(b)
	ours, bare := w.open(Options{}), w.pool(8)
	const n = 100
	for b.Loop() {
		t := ratio.Interleave(rounds, w.calls(callers, n, loadBy(ours)), w.calls(callers, n, w.loadBare(bare)))
		fmt.Printf("\n64 callers load: store %s, prepared on a pool of 8 %s\n", perSecond(callers*n, t[0].Seconds()), perSecond(callers*n, t[1].Seconds()))
		ratio.Print("mysql-load-64-of-pool-8", t[1].Seconds()/t[0].Seconds(), 3, true)
	}
}

func BenchmarkRatioLoadAlone(b *testing.B) {
	w := newBench(b)
	ours, bare := w.open(Options{}), w.pool(1)
	const n = 500
	for b.Loop() {
		t := ratio.Interleave(41, w.calls(1, n, loadBy(ours)), w.calls(1, n, w.loadBare(bare)))
		fmt.Printf("\n1 caller loads: store %s, prepared %s\n", perSecond(n, t[0].Seconds()), perSecond(n, t[1].Seconds()))
		ratio.Print("mysql-load-1-of-prepared", t[1].Seconds()/t[0].Seconds(), 0.9, true)
	}
}

func BenchmarkRatioSave(b *testing.B) {
	w := newBench(b)
	ours, bare := w.open(Options{}), w.pool(64)
	const n = 100
	for b.Loop() {
		t := ratio.Interleave(rounds, w.calls(callers, n, saveBy(ours, false)), w.calls(callers, n, w.saveBare(bare)))
		fmt.Printf("\n64 callers save: store %s, prepared on a pool of 64 %s\n", perSecond(callers*n, t[0].Seconds()), perSecond(callers*n, t[1].Seconds()))
		ratio.Print("mysql-save-64-of-pool-64", t[1].Seconds()/t[0].Seconds(), 1.2, true)
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
				ratio.Print("mysql-"+name+"-with-feed-of-without", t[1].Seconds()/t[0].Seconds(), 0.65, true)
			}
			require.Positive(b, cached.Stats().Feed.Questions)
		})
	}
}
