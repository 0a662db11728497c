package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// DefaultMaxConns is how many connections a Store opens at most.
const DefaultMaxConns = 16

const (
	idleTime       = 5 * time.Minute  // that a connection which nobody needs is kept
	connectTimeout = 10 * time.Second // to a server
)

// Options of Open and New. The zero value is the default.
type Options struct {
	// Table has the sessions: lower-case letters, digits and underscores.
	// Default dbstore.DefaultTable.
	Table string
	// NoMigrate leaves the schema alone: opening fails if it is not the newest.
	NoMigrate bool
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
		return nil, fmt.Errorf("dbstore: MySQL: %w", &hosts.ConfigError{Field: "MaxConns", Value: fmt.Sprint(o.MaxConns), Allowed: "1 or more"})
	}
	config, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("dbstore: MySQL: %w", err)
	}
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("dbstore: MySQL: %w", &hosts.ConfigError{Field: "URL", Value: "one that the driver refuses", Allowed: form})
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.MaxConns)
	db.SetMaxIdleConns(o.MaxConns)
	db.SetConnMaxIdleTime(idleTime)
	s, err := open(ctx, db, o, true)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// New opens the store on a database of go-sql-driver/mysql, which stays the
// caller's. Its DSN should have interpolateParams=true.
func New(ctx context.Context, db *sql.DB, o Options) (*dbstore.Store, error) {
	return open(ctx, db, o, false)
}

func open(ctx context.Context, db *sql.DB, o Options, owned bool) (*dbstore.Store, error) {
	return dbstore.New(ctx, db, dialect{}, dbstore.Options{
		Table: o.Table, NoMigrate: o.NoMigrate, CloseDB: owned, Loads: o.Loads, Saves: o.Saves,
	})
}

const form = "mysql://user:password@host:port/database"

func parse(text string) (*driver.Config, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "mysql" || u.Host == "" || len(u.Path) < 2 {
		return nil, &hosts.ConfigError{Field: "URL", Value: "one that cannot be read", Allowed: form}
	}
	c := driver.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if u.Port() == "" {
		c.Addr += ":3306"
	}
	c.Timeout = connectTimeout
	c.InterpolateParams = true
	c.MaxAllowedPacket = 0 // the server's
	c.Logger = &driver.NopLogger{}
	return c, nil
}
