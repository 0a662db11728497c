package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	benchSessions = 10_000
	benchCallers  = 64
)

// benchID spreads the sessions over the table, as random IDs do.
func benchID(n int) (id core.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n+1)*0x9e3779b97f4a7c15)
	return id
}

func benchRecord(n int, v core.Version) core.Record {
	return core.Record{
		ID: benchID(n), Version: v, User: fmt.Sprintf("user-%07d", n),
		CreatedAt: core.Day, SeenAt: core.Day + core.Time(v), ExpiresAt: 2*core.Day + core.Time(v), Sealed: make([]byte, 300),
	}
}

// filled is a store with sessions of version 1.
func filled(b *testing.B, path string, o sqlite.Options) *sqlite.Store {
	s := open(b, path, o)
	var wg sync.WaitGroup
	for c := range benchCallers {
		wg.Go(func() {
			for n := c; n < benchSessions; n += benchCallers {
				require.NoError(b, s.Save(b.Context(), benchRecord(n, 1), core.NoVersion))
			}
		})
	}
	wg.Wait()
	return s
}

// bare is what a program does without this package: one connection, whose
// statements database/sql keeps prepared.
func bare(b *testing.B, path, synchronous string) *sql.DB {
	db, err := driver.Open(path, func(c *sqlite3.Conn) error {
		return c.Exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=" + synchronous)
	})
	require.NoError(b, err)
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	return db
}

// BenchmarkRatioLoad compares a Load with the query that it is made of.
func BenchmarkRatioLoad(b *testing.B) {
	const loads = 500 // a few milliseconds: many short rounds meet the machine alike
	path := filepath.Join(b.TempDir(), "sessions.db")
	s := filled(b, path, sqlite.Options{Fast: true})
	query, err := bare(b, path, "NORMAL").Prepare("SELECT " + dbstore.Columns + " FROM sessions WHERE id = ?")
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context()) // as that of a request is
	defer cancel()
	for b.Loop() {
		times := ratio.Interleave(151, func() {
			for n := range loads {
				_, err := s.Load(ctx, benchID(n*7%benchSessions))
				require.NoError(b, err)
			}
		}, func() {
			for n := range loads {
				id := benchID(n * 7 % benchSessions)
				_, err := dbstore.Scan(query.QueryRowContext(ctx, id[:]))
				require.NoError(b, err)
			}
		})
		fmt.Printf("\nstore: %v a load; bare query: %v\n", times[0]/loads, times[1]/loads)
		ratio.Print("sqlite-load-of-bare-query", float64(times[1])/float64(times[0]), 0.85, true)
	}
}

// BenchmarkRatioSave compares saves by 64 callers with those of one connection
// that commits each.
func BenchmarkRatioSave(b *testing.B) {
	b.Run("full", func(b *testing.B) { ratioSave(b, "FULL", 6) })
	b.Run("normal", func(b *testing.B) { ratioSave(b, "NORMAL", 1.2) })
}

func ratioSave(b *testing.B, synchronous string, target float64) {
	const saves = 4096
	s := filled(b, filepath.Join(b.TempDir(), "ours.db"), sqlite.Options{Fast: synchronous == "NORMAL"})
	naive := filepath.Join(b.TempDir(), "naive.db")
	filled(b, naive, sqlite.Options{Fast: true})
	update, err := bare(b, naive, synchronous).Prepare("UPDATE sessions SET version = ?, seen_at = ?, " +
		"expires_at = ?, data = ? WHERE id = ? AND version = ?")
	require.NoError(b, err)
	round := func(v *core.Version, save func(core.Record, core.Version) error) func() {
		return func() {
			var wg sync.WaitGroup
			for c := range benchCallers {
				wg.Go(func() {
					for n := c; n < saves; n += benchCallers {
						require.NoError(b, save(benchRecord(n, *v+1), *v))
					}
				})
			}
			wg.Wait()
			*v++
		}
	}
	ours, theirs := core.Version(1), core.Version(1)
	for b.Loop() {
		times := ratio.Interleave(7, round(&ours, func(r core.Record, prev core.Version) error {
			return s.Save(b.Context(), r, prev)
		}), round(&theirs, func(r core.Record, prev core.Version) error {
			res, err := update.ExecContext(b.Context(), int64(r.Version), int64(r.SeenAt),
				int64(r.ExpiresAt), r.Sealed, r.ID[:], int64(prev))
			require.NoError(b, err)
			n, err := res.RowsAffected()
			require.Equal(b, int64(1), n)
			return err
		}))
		fmt.Printf("\nstore: %v a save; one connection: %v\n", times[0]/saves, times[1]/saves)
		ratio.Print("sqlite-save-"+synchronous+"-of-one-connection", float64(times[1])/float64(times[0]), target, true)
	}
}

// BenchmarkRatioFeed compares saves by 64 callers with the feed on, and somebody who
// asks, with those of a store that was never cached.
func BenchmarkRatioFeed(b *testing.B) {
	const saves = 4096
	round := func(s *sqlite.Store, touch bool) func() {
		v := core.Version(1)
		ctx := b.Context()
		if touch {
			ctx = hosts.TouchContext(ctx)
		}
		return func() {
			var wg sync.WaitGroup
			for c := range benchCallers {
				wg.Go(func() {
					for n := c; n < saves; n += benchCallers {
						require.NoError(b, s.Save(ctx, benchRecord(n, v+1), v))
					}
				})
			}
			wg.Wait()
			v++
		}
	}
	for _, touch := range []bool{false, true} {
		name := map[bool]string{false: "save", true: "touch"}[touch]
		b.Run(name, func(b *testing.B) {
			without := filled(b, filepath.Join(b.TempDir(), "without.db"), sqlite.Options{})
			with := filled(b, filepath.Join(b.TempDir(), "with.db"), sqlite.Options{})
			cached, err := cachestore.NewCached(with, cachestore.CachedOptions{})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, cached.Close()) })
			cached.Poller().Keep()
			for b.Loop() {
				times := ratio.Interleave(11, round(with, touch), round(without, touch))
				fmt.Printf("\n%s with the feed: %v; without: %v\n", name, times[0]/saves, times[1]/saves)
				ratio.Print("sqlite-"+name+"-with-feed-of-without", float64(times[1])/float64(times[0]), 0.8, true)
			}
		})
	}
}
