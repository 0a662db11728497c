package tests

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

// TestPruningLosesNothing: what everybody has read goes, not before a transaction that
// was open for minutes was reported; who slept for longer meets a gap. PostgreSQL prunes
// nothing that is younger than the oldest transaction of the server.
func TestPruningLosesNothing(t *testing.T) {
	everywhereAlone(t, func(w *world) {
		synctest.Test(w.T, func(t *testing.T) {
			in := &world{T: t, server: w.server, table: w.table}
			in.admin = in.database(nil)
			s := in.store(nil)
			r := in.save(s, record(1), core.NoVersion)
			late := in.save(s, record(2), core.NoVersion)
			f, sleeps := in.follow(s), in.follow(s)
			tx, err := in.admin.BeginTx(context.Background(), nil)
			require.NoError(t, err)
			place := map[bool]string{true: "$1", false: "?"}[in.dialect.Syntax().Numbered]
			_, err = tx.Exec(in.named("DELETE FROM {table} WHERE id = "+place), late.ID[:])
			require.NoError(t, err)
			const saves = 3
			for turn := range 70 { // of 11 s
				for range saves {
					next := after(r)
					in.save(s, next, r.Version)
					r = next
				}
				want := saves
				if turn == 35 {
					require.NoError(t, tx.Commit())
					want++
				}
				require.Len(t, in.changes(f), want)
				<-time.After(11 * time.Second)
				synctest.Wait()
			}
			n := in.count("SELECT count(*) FROM {table}_feed")
			require.LessOrEqual(t, n, 30*saves)
			require.GreaterOrEqual(t, n, 27*saves)
			in.gap(sleeps, "pruned")
			require.NoError(t, s.Close())
			require.NoError(t, in.admin.Close())
		})
	})
}
