package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Sizes of the log. Random sessions that are written again soon are written to
// the database once, so that more pages in the log are cheaper than SQLite's
// 1000: by a third at 4096, the size of a group of its index.
const (
	logPages = 4096     // then its content is moved to the database
	pageSize = 4096     // SQLite's default
	maxLog   = 64 << 20 // bytes it keeps on the disk afterwards; over it only while a reader holds an old state
)

// pool returns connections to the file, which stay open as long as it.
func (d *dialect) pool(size int, setUp func(*sqlite3.Conn) error) *sql.DB {
	db := sql.OpenDB(d.connector(setUp))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db
}

func (d *dialect) connector(setUp func(*sqlite3.Conn) error) connector {
	// The log gets the mode of the database.
	name := uri(d.path)
	return connector{name + "?vfs=" + diskName + "&modeof=" + strings.TrimPrefix(name, "file:"), setUp, d.own.forget}
}

// uri names a file: whatever its name has in it is a part of the name. SQLite does
// not take + for a space.
func uri(path string) string {
	return "file:" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
}

// connect opens all connections of a pool, and each of them now: one that is
// opened later might find another file.
func connect(ctx context.Context, db *sql.DB, size int) error {
	for range size {
		c, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
	}
	return nil
}

// setUpWriter readies the one connection that writes.
func (d *dialect) setUpWriter(o Options) func(*sqlite3.Conn) error {
	synchronous := "FULL" // each commit is synced
	if o.Fast {
		synchronous = "NORMAL" // the log is synced before its content is moved
	}
	return func(c *sqlite3.Conn) error {
		if err := c.BusyTimeout(o.BusyTimeout); err != nil {
			return err
		}
		if err := useLog(c, o.BusyTimeout); err != nil {
			return err
		}
		return c.Exec(fmt.Sprintf("PRAGMA synchronous=%s; PRAGMA journal_size_limit=%d; PRAGMA wal_autocheckpoint=%d",
			synchronous, maxLog, logPages))
	}
}

// setUpReader reads something, so that the connection has all its files.
func setUpReader(o Options) func(*sqlite3.Conn) error {
	return func(c *sqlite3.Conn) error {
		return errors.Join(c.BusyTimeout(o.BusyTimeout), c.Exec("PRAGMA query_only=ON; PRAGMA schema_version"))
	}
}

// useLog turns on write-ahead logging, which is kept in the file. SQLite does
// not wait for another process that does so at the same time.
func useLog(c *sqlite3.Conn, patience time.Duration) error {
	for start := time.Now(); ; {
		mode, err := text(c, "PRAGMA journal_mode=WAL")
		switch {
		case err == nil && mode != "wal":
			return fmt.Errorf("it can only have journal mode %s here: %w", mode, sqlite3.CANTOPEN)
		case !errors.Is(err, sqlite3.BUSY) || time.Since(start) > patience:
			return err
		}
		select {
		case <-c.GetInterrupt().Done():
			return err
		case <-time.After(rand.N(10 * time.Millisecond)):
		}
	}
}

// text is the answer to a query for one text.
func text(c *sqlite3.Conn, query string) (string, error) {
	s, _, err := c.Prepare(query)
	if err != nil {
		return "", err
	}
	defer s.Close()
	if s.Step() {
		return s.ColumnText(0), nil
	}
	return "", s.Err()
}
