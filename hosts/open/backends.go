package open

import (
	"context"
	"io"
	"os"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/dbstore/mysql"
	"github.com/rockstar-web/sessions/dbstore/postgres"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
)

type store interface {
	hosts.Store
	io.Closer
}

// A backend is one row of the table: which names it has, and how one opens it.
type backend struct {
	schemes  []string // before the colon; the first is told to people
	rest     string   // behind the colon, for people
	word     string   // the guide's, which may stand for "scheme:"
	single   bool     // it has one handle at a time
	volatile bool     // it has lost everything when that is closed
	open     func(ctx context.Context, p place) (store, error)
	drop     func(ctx context.Context, p place) error // removes what open left, of a scratch namespace
}

var backends = []backend{
	{schemes: []string{"memory"}, word: "cache", single: true, volatile: true, open: memory, drop: nothing},
	{schemes: []string{"file"}, rest: "DIR", word: "filesystem", single: true, open: files, drop: removeDir},
	{schemes: []string{"file+shared"}, rest: "DIR", open: files, drop: removeDir},
	{schemes: []string{"sqlite"}, rest: "FILE", word: "database", open: embedded, drop: removeFile},
	{schemes: []string{"postgres", "postgresql"}, rest: "//USER:PASSWORD@HOST:PORT/NAME", open: postgreSQL, drop: dropTable(postgreSQL)},
	{schemes: []string{"mysql", "mariadb"}, rest: "//USER:PASSWORD@HOST:PORT/NAME", open: mySQL, drop: dropTable(mySQL)},
	{schemes: []string{"redis", "rediss"}, rest: "//USER:PASSWORD@HOST:PORT/DB", open: redisOrValkey, drop: deleteAll(redisOrValkey)},
	{schemes: []string{"redis+cluster", "rediss+cluster"}, rest: "//HOST:PORT,HOST:PORT", open: redisOrValkey, drop: deleteAll(redisOrValkey)},
	{schemes: []string{"redis+sentinel", "rediss+sentinel"}, rest: "//HOST:PORT,HOST:PORT/NAME", open: redisOrValkey, drop: deleteAll(redisOrValkey)},
}

func memory(_ context.Context, p place) (store, error) {
	if p.rest != "" {
		return nil, &hosts.ConfigError{Field: "store", Value: "memory: with more behind it", Allowed: "memory: alone"}
	}
	return cachestore.Open(cachestore.Options{})
}

func nothing(context.Context, place) error { return nil }

func files(_ context.Context, p place) (store, error) {
	dir, err := p.path(fsstore.DefaultDir)
	if err != nil {
		return nil, err
	}
	return fsstore.Open(fsstore.Options{Dir: dir, Shared: p.scheme == "file+shared"})
}

func removeDir(_ context.Context, p place) error {
	dir, err := p.path(fsstore.DefaultDir)
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func embedded(ctx context.Context, p place) (store, error) {
	path, err := p.path(defaultFile)
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, path, sqlite.Options{NoMigrate: p.way == asItIs})
}

func removeFile(_ context.Context, p place) error {
	path, err := p.path(defaultFile)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.RemoveAll(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

func postgreSQL(ctx context.Context, p place) (store, error) {
	name, err := p.url(p.table)
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, name, postgres.Options{})
}

func mySQL(ctx context.Context, p place) (store, error) {
	p.scheme = "mysql"
	name, err := p.url(p.table)
	if err != nil {
		return nil, err
	}
	return mysql.Open(ctx, name, mysql.Options{})
}

func redisOrValkey(ctx context.Context, p place) (store, error) {
	p.way = asNamed // it has no tables
	name, err := p.url(p.prefix)
	if err != nil {
		return nil, err
	}
	return redis.Open(ctx, name, redis.Options{})
}
