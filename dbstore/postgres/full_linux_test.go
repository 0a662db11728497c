package postgres

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// smallDisk mounts one that the server of the tests may write.
func smallDisk(t *testing.T, server string) string {
	info, err := os.Stat(server)
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: a full disk, since the server is not on this machine: %v", err)
	}
	dir, err := os.MkdirTemp("", "small-disk")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.Remove(dir)) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: a full disk, which takes the right to mount one: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	require.NoError(t, os.Chown(dir, int(info.Sys().(*syscall.Stat_t).Uid), -1))
	return dir
}

// TestAFullDisk refuses saves and changes nothing; what is stored can be read
// and deleted.
func TestAFullDisk(t *testing.T) {
	db, table := admin(t), newTable(t)
	run := func(text string) {
		_, err := db.ExecContext(context.Background(), text)
		require.NoError(t, err)
	}
	var server string
	require.NoError(t, db.QueryRow("SHOW data_directory").Scan(&server))
	run("CREATE TABLESPACE " + table + " LOCATION '" + smallDisk(t, server) + "'")
	t.Cleanup(func() {
		run("DROP TABLE IF EXISTS " + table)
		run("DROP TABLESPACE " + table)
	})
	text, err := dbstore.Schema(Dialect, table)
	require.NoError(t, err)
	run(strings.Replace(text, "WITH (fillfactor = 80)", "WITH (fillfactor = 80) TABLESPACE "+table, 1))

	s, ctx := openStore(t, Options{Table: table}), t.Context()
	r := core.Record{ID: randomID(), Version: randomVersion(), Sealed: sealedBytes(sealedLen)}
	require.NoError(t, s.Save(ctx, r, core.NoVersion))
	var full error
	for full == nil {
		big := core.Record{ID: randomID(), Version: randomVersion(), Sealed: sealedBytes(200_000)}
		if full = s.Save(ctx, big, core.NoVersion); full != nil {
			_, err := s.Load(ctx, big.ID)
			require.ErrorIs(t, err, core.ErrNotFound)
		}
	}
	require.ErrorIs(t, full, hosts.ErrFull)
	require.ErrorContains(t, full, "make room on the disk")
	is, prev := next(&r)
	is.Sealed = sealedBytes(500_000)
	other := core.Record{ID: randomID(), Version: randomVersion()}
	for _, err := range s.SaveMany(ctx, []hosts.Saving{{Record: is, Prev: prev}, {Record: other}}) {
		require.ErrorIs(t, err, hosts.ErrFull)
		require.NotErrorIs(t, err, hosts.ErrBatch, "halves would fare no better")
	}
	got, err := s.Load(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, r.Version, got.Version)
	require.NoError(t, s.Delete(ctx, r.ID))
}
