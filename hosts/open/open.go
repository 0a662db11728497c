// Package open opens a store by its name, for commands and config files. It is
// the one package that imports all stores, and so all their drivers; a program
// that needs one store imports that store alone.
package open

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
)

// Default is the store of a program that names none: an embedded database.
const Default = "sqlite:" + defaultFile

const defaultFile = "sessions.db"

// Store opens the store that a name means:
//
//	memory:                                    this process's memory ("cache" means the same)
//	file:DIR                                   a log in a directory, for one process; ./sessions if DIR is
//	                                           empty ("filesystem" means the same)
//	file+shared:DIR                            a file per session, for the processes of one machine
//	sqlite:FILE                                an embedded database, sessions.db if FILE is empty
//	                                           ("database" and "" mean the same)
//	postgres://USER:PASSWORD@HOST:PORT/NAME    PostgreSQL; also postgresql://
//	mysql://USER:PASSWORD@HOST:PORT/NAME       MySQL and MariaDB; also mariadb://
//	redis://USER:PASSWORD@HOST:PORT/DB         Redis and Valkey
//	redis+cluster://HOST:PORT,HOST:PORT        a cluster of them
//	redis+sentinel://HOST:PORT,HOST:PORT/NAME  the primary that sentinels call NAME; all three also with rediss, for TLS
//
// The Closer frees it. An error names what is allowed and shows nothing of what
// stands behind the scheme, where a password may be. ctx bounds the opening
// alone.
func Store(ctx context.Context, url string) (hosts.Store, io.Closer, error) {
	return in(ctx, url, asNamed)
}

// A way is what becomes of the tables of a database.
type way int

const (
	asNamed  way = iota // what migrate= in the name says
	asItIs              // nothing
	migrated            // they are brought up to date
)

func in(ctx context.Context, url string, w way) (hosts.Store, io.Closer, error) {
	b, at, err := find(url)
	if err != nil {
		return nil, nil, err
	}
	at.way = w
	s, err := b.at(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	return s, s, nil
}

func find(url string) (backend, place, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	for _, b := range backends {
		switch {
		case !ok && url != "" && url == b.word, url == "" && b.word == "database":
			return b, place{scheme: b.schemes[0]}, nil
		case ok && slices.Contains(b.schemes, scheme):
			return b, place{scheme: scheme, rest: rest}, nil
		}
	}
	return backend{}, place{}, fmt.Errorf("open store: %w", &hosts.ConfigError{Field: "store", Value: scheme, Allowed: Allowed()})
}

// at opens the store at a place.
func (b *backend) at(ctx context.Context, p place) (store, error) {
	s, err := b.open(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", p.scheme, err)
	}
	return s, nil
}

// Allowed lists the names that Store takes, for help texts.
func Allowed() string {
	var list []string
	for _, b := range backends {
		list = append(list, b.schemes[0]+":"+b.rest)
		if b.word != "" {
			list = append(list, b.word)
		}
	}
	return strings.Join(list, ", ")
}

// Dir returns the directory of a file store, and whether url names one.
func Dir(url string) (dir string, ok bool) {
	_, at, err := find(url)
	if err != nil || at.scheme != "file" && at.scheme != "file+shared" || at.check() != nil {
		return "", false
	}
	return cmp.Or(at.rest, fsstore.DefaultDir), true
}

// File returns the file of an embedded database, and whether url names one.
func File(url string) (path string, ok bool) {
	_, at, err := find(url)
	if err != nil || at.scheme != "sqlite" || at.check() != nil {
		return "", false
	}
	return cmp.Or(at.rest, defaultFile), true
}
