package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// DefaultMaxConns is how many connections Open has at most.
const DefaultMaxConns = 16

const (
	idleTime = 5 * time.Minute  // that a connection which nobody needs is kept
	lifetime = 30 * time.Minute // of a connection, so that it does not outlive a failover
)

// Options of Open and New. The zero value is the default.
type Options struct {
	// Table has the sessions: lower-case letters, digits and underscores.
	// Default dbstore.DefaultTable. Its companion Table_schema has its version.
	Table string
	// NoMigrate leaves the schema alone: opening fails if it is not the newest,
	// and the error says what to run.
	NoMigrate bool
	// MaxConns bounds the connections of Open, not those of New. Default
	// DefaultMaxConns.
	MaxConns int
	// Loads and Saves bound the gathering of calls; zero takes what was measured.
	Loads, Saves coalesce.Options
}

// Open connects to a server and opens the store. The URL is
//
//	mysql://user:password@host:port/database?table=sessions&tls=true
//
// and its query may have table, migrate and max_conns, which set the Options of
// that name; socket, the path of a Unix socket instead of host and port; tls
// (true, false, preferred, skip-verify) and tls_ca, a file of certificates to
// trust. ctx bounds the opening alone.
//
// An error names what to do, and never has the password in it.
func Open(ctx context.Context, url string, o Options) (*dbstore.Store, error) {
	config, err := parse(url, &o)
	if err != nil {
		return nil, fmt.Errorf("dbstore: MySQL: %w", err)
	}
	if o.MaxConns == 0 {
		o.MaxConns = DefaultMaxConns
	}
	if o.MaxConns < 0 {
		return nil, fmt.Errorf("dbstore: MySQL: %w", &hosts.ConfigError{Field: "MaxConns", Value: fmt.Sprint(o.MaxConns), Allowed: "1 or more"})
	}
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("dbstore: MySQL: %w", unreadable(url))
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.MaxConns)
	db.SetMaxIdleConns(o.MaxConns)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifetime)
	s, err := open(ctx, db, o, true)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// New opens the store on a database that the caller has opened with
// github.com/go-sql-driver/mysql, and closes after the store. Its DSN should have
// interpolateParams=true, or a batch costs three round trips instead of
// one. Give it 16 connections or more (SetMaxOpenConns), and keep them (SetMaxIdleConns).
// One whose connections have autocommit off, or another setting that would lose
// sessions, is refused with hosts.ConfigError.
func New(ctx context.Context, db *sql.DB, o Options) (*dbstore.Store, error) {
	return open(ctx, db, o, false)
}

func open(ctx context.Context, db *sql.DB, o Options, owned bool) (*dbstore.Store, error) {
	return dbstore.New(ctx, db, dialect{}, dbstore.Options{
		Table: o.Table, NoMigrate: o.NoMigrate, CloseDB: owned, Loads: o.Loads, Saves: o.Saves,
	})
}
