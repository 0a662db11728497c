package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// DefaultMaxConns is how many connections a Store opens at most.
const DefaultMaxConns = 16

// idleTime is how long a connection that nobody needs is kept.
const idleTime = 5 * time.Minute

// Options of Open and New. The zero value is the default.
type Options struct {
	// Table has the sessions: lower-case letters, digits and underscores, also
	// schema.table. Default dbstore.DefaultTable.
	Table string
	// NoMigrate leaves the schema alone: opening fails if it is not the newest.
	NoMigrate bool
	// Fast leaves out the wait for the disk of saves that only note a use.
	Fast bool
	// MaxConns bounds the connections of Open. Default DefaultMaxConns.
	MaxConns int
	// Loads and Saves bound the gathering of calls; zero takes what was measured.
	Loads, Saves hosts.Coalescing
}

// Open connects to a server and opens the store.
func Open(ctx context.Context, url string, o Options) (*dbstore.Store, error) {
	if o.MaxConns == 0 {
		o.MaxConns = DefaultMaxConns
	}
	if o.MaxConns < 0 {
		return nil, fmt.Errorf("dbstore: PostgreSQL: %w", &hosts.ConfigError{Field: "MaxConns", Value: fmt.Sprint(o.MaxConns), Allowed: "1 or more"})
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("dbstore: PostgreSQL: %w", &hosts.ConfigError{
			Field: "URL", Value: "one that cannot be read", Allowed: "postgres://user:password@host:port/database?sslmode=verify-full"})
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(o.MaxConns)
	db.SetMaxIdleConns(o.MaxConns)
	db.SetConnMaxIdleTime(idleTime)
	s, err := open(ctx, db, o, true)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// New opens the store on a database of pgx's stdlib, which stays the caller's.
func New(ctx context.Context, db *sql.DB, o Options) (*dbstore.Store, error) {
	return open(ctx, db, o, false)
}

func open(ctx context.Context, db *sql.DB, o Options, owned bool) (*dbstore.Store, error) {
	return dbstore.New(ctx, db, dialect{fast: o.Fast}, dbstore.Options{
		Table: o.Table, NoMigrate: o.NoMigrate, CloseDB: owned, Loads: o.Loads, Saves: o.Saves,
	})
}
