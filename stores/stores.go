package stores

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
)

// Default is what an empty name means to [Open]: an embedded database, which
// stores/all knows.
const Default = "sqlite:sessions.db"

// Open opens the store that a name means:
//
//	memory:                                    this process's memory ("cache" means the same)
//	file:DIR                                   a log in a directory, for one process; ./sessions if DIR is
//	                                           empty ("filesystem" means the same)
//	file+shared:DIR                            a file per session, for the processes of one machine
//
// and with stores/all:
//
//	sqlite:FILE                                an embedded database, sessions.db if FILE is empty
//	                                           ("database" and "" mean the same)
//	postgres://USER:PASSWORD@HOST:PORT/NAME    PostgreSQL; also postgresql://
//	mysql://USER:PASSWORD@HOST:PORT/NAME       MySQL and MariaDB; also mariadb://
//	redis://USER:PASSWORD@HOST:PORT/DB         Redis and Valkey
//	redis+cluster://HOST:PORT,HOST:PORT        a cluster of them
//	redis+sentinel://HOST:PORT,HOST:PORT/NAME  the primary that sentinels call NAME; all three also with rediss, for TLS
//
// With cache=64MiB behind a question mark the records are cached in this process's
// memory: see cachestore.NewCached.
//
// The Closer frees it. An error names what is allowed and shows nothing of what
// stands behind the scheme, where a password may be. ctx bounds the opening
// alone.
func Open(ctx context.Context, name string) (hosts.Store, io.Closer, error) {
	return in(ctx, name, AsNamed)
}

func in(ctx context.Context, name string, m Migration) (hosts.Store, io.Closer, error) {
	d, n, err := find(name)
	if err != nil {
		return nil, nil, err
	}
	n.Migration = m
	s, err := d.at(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	return s, s, nil
}

// cached is a store with a cache before it.
type cached struct {
	*cachestore.Cached
	store Store
}

// Unwrap implements hosts.Wrapped, so that hosts.As finds the cache.
func (c cached) Unwrap() hosts.Store { return c.Cached }

// Close closes the cache, and then the store.
func (c cached) Close() error { return errors.Join(c.Cached.Close(), c.store.Close()) }

// at opens the store of a name.
func (d *Driver) at(ctx context.Context, n Name) (Store, error) {
	s, err := d.Open(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", n.Scheme, err)
	}
	if n.Cache == 0 {
		return s, nil
	}
	c, err := cachestore.NewCached(s, cachestore.CachedOptions{MaxBytes: n.Cache})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", n.Scheme, err), s.Close())
	}
	return cached{c, s}, nil
}

// Dir returns the directory of a store in a directory, and whether name is that
// of one.
func Dir(name string) (dir string, ok bool) {
	return located(name, func(d Driver) string { return d.Dir })
}

// File returns the file of an embedded database, and whether name is that of one.
func File(name string) (path string, ok bool) {
	return located(name, func(d Driver) string { return d.File })
}

func located(name string, otherwise func(Driver) string) (string, bool) {
	d, n, err := find(name)
	if err != nil || otherwise(d) == "" || n.check() != nil {
		return "", false
	}
	return cmp.Or(n.Rest, otherwise(d)), true
}
