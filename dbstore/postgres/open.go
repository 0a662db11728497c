package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

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
	// Table has the sessions: lower-case letters, digits and underscores, also
	// schema.table. Default dbstore.DefaultTable. Its companion Table_schema
	// has its version.
	Table string
	// NoMigrate leaves the schema alone: opening fails if it is not the newest,
	// and the error says what to run.
	NoMigrate bool
	// Fast leaves out the wait for the disk of saves that only note a use of a
	// session (hosts.TouchContext). See the package's documentation for what
	// a crash of the server may then undo.
	Fast bool
	// MaxConns bounds the connections of Open, not those of New. Default
	// DefaultMaxConns.
	MaxConns int
	// Loads and Saves bound the gathering of calls; zero takes what was measured.
	Loads, Saves coalesce.Options
}

// Open connects to a server and opens the store. The URL is one of pgx's, which
// are those of libpq; table, fast, migrate and max_conns in its query
// set the Options of that name. ctx bounds the opening alone.
//
// An error names what to do, and never has the password in it.
func Open(ctx context.Context, url string, o Options) (*dbstore.Store, error) {
	config, err := parse(url, &o)
	if err != nil {
		return nil, fmt.Errorf("dbstore: PostgreSQL: %w", err)
	}
	db := stdlib.OpenDB(*config)
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

// New opens the store on a database that the caller has opened with pgx's
// stdlib, and closes after the store. Give it 16 connections or more
// (SetMaxOpenConns), and keep them (SetMaxIdleConns).
func New(ctx context.Context, db *sql.DB, o Options) (*dbstore.Store, error) {
	return open(ctx, db, o, false)
}

func open(ctx context.Context, db *sql.DB, o Options, owned bool) (*dbstore.Store, error) {
	return dbstore.New(ctx, db, dialect{fast: o.Fast}, dbstore.Options{
		Table: o.Table, NoMigrate: o.NoMigrate, CloseDB: owned, Loads: o.Loads, Saves: o.Saves,
	})
}

// unreadable shows of a URL only the scheme.
func unreadable(text string) error {
	shown := "..."
	if scheme, _, ok := strings.Cut(text, ":"); ok && (scheme == "postgres" || scheme == "postgresql") {
		shown = scheme + ":..."
	}
	return &hosts.ConfigError{Field: "URL", Value: shown,
		Allowed: "postgres://user:password@host:port/database?sslmode=verify-full, with special characters percent-encoded"}
}

// parse reads the URL and moves our own parameters to o. Errors of the driver
// may have the password in them and are left out.
func parse(text string, o *Options) (*pgx.ConnConfig, error) {
	if before, query, ok := strings.Cut(text, "?"); ok && strings.Contains(before, "://") {
		q, err := url.ParseQuery(query)
		if err != nil {
			return nil, unreadable(text)
		}
		migrate := !o.NoMigrate
		err = dbstore.TakeQuery(q, map[string]any{"table": &o.Table, "fast": &o.Fast, "migrate": &migrate, "max_conns": &o.MaxConns})
		if err != nil {
			return nil, err
		}
		o.NoMigrate = !migrate
		text = before + "?" + q.Encode()
	}
	if o.MaxConns == 0 {
		o.MaxConns = DefaultMaxConns
	}
	if o.MaxConns < 0 {
		return nil, &hosts.ConfigError{Field: "MaxConns", Value: fmt.Sprint(o.MaxConns), Allowed: "1 or more"}
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, unreadable(text)
	}
	return config, nil
}
