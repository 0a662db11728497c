package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// New opens the store on a database that the program has opened, by whatever
// driver, and closes after the store. The database is a file with
//
//	PRAGMA journal_mode=WAL     and synchronous=FULL or NORMAL, or another mode and FULL
//	PRAGMA busy_timeout=5000    or another that is not zero
//
// on each of its connections; New looks at one of them and refuses others. With
// NORMAL a power failure may undo the last saves, never a Delete. Options.Fast and
// BusyTimeout are not New's. Give the pool two connections or more: a call waits
// for one while the program has them all.
//
// A process that has the file open by another driver uses New alone: within one
// process the locks of two drivers do not fit together. Between processes they do.
//
// Open is faster, keeps room for logouts on a full disk, and notices when the file
// is replaced.
func New(ctx context.Context, db *sql.DB, o Options) (*dbstore.Store, error) {
	d := &dialect{}
	var err error
	switch {
	case o.Fast:
		err = &hosts.ConfigError{Field: "Fast", Value: "true", Allowed: "false: set PRAGMA synchronous=NORMAL on the connections of the database"}
	case o.BusyTimeout != 0:
		err = &hosts.ConfigError{Field: "BusyTimeout", Value: o.BusyTimeout.String(), Allowed: "0: set PRAGMA busy_timeout on the connections of the database"}
	case db != nil:
		err = d.look(ctx, db)
	}
	if err != nil {
		return nil, fmt.Errorf("dbstore: SQLite: open: %w", err)
	}
	return dbstore.New(ctx, db, d, dbstore.Options{Table: o.Table, NoMigrate: o.NoMigrate, Loads: o.Loads, Saves: o.Saves})
}

// look reads how a connection is set up, and refuses what would lose sessions.
func (d *dialect) look(ctx context.Context, db *sql.DB) error {
	var mode string
	var patience, durability int
	for _, ask := range []struct {
		text string
		to   any
	}{
		{"SELECT file FROM pragma_database_list WHERE name = 'main'", &d.path},
		{"PRAGMA journal_mode", &mode},
		{"PRAGMA busy_timeout", &patience},
		{"PRAGMA synchronous", &durability},
	} {
		if err := db.QueryRowContext(ctx, ask.text).Scan(ask.to); err != nil {
			return fmt.Errorf("%w: %w; is it an SQLite database?", hosts.ErrUnavailable, err)
		}
	}
	const normal, full = 1, 2
	d.fast = mode == "wal" && durability == normal
	switch {
	case d.path == "":
		return &hosts.ConfigError{Field: "db", Value: "a database in memory", Allowed: "a file; package cachestore keeps sessions in memory"}
	case patience == 0:
		return &hosts.ConfigError{Field: "busy_timeout of db", Value: "0", Allowed: "5000 or so: by a PRAGMA on each connection, so that writers wait for each other"}
	case durability < full && !d.fast:
		return &hosts.ConfigError{Field: "synchronous of db", Value: fmt.Sprintf("%d in journal_mode=%s", durability, mode),
			Allowed: "FULL (2), or NORMAL (1) in journal_mode=WAL: else a power failure undoes logouts"}
	}
	d.sync = func() error { return syncLog(d.path) }
	return nil
}

// syncLog puts everything that is in the log on the disk. Where there is no log,
// each commit was synced.
func syncLog(path string) error {
	log, err := os.OpenFile(path+"-wal", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fail("open", path+"-wal", err)
	}
	return errors.Join(log.Sync(), log.Close())
}
