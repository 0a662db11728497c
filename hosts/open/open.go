// Package open opens a store by its name, for commands and config files. It is
// the one package that imports all stores; a program that needs one store
// imports that store alone.
package open

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
)

// A backend is one row of the table: what a name begins with, and how the rest
// of it opens a store.
type backend struct {
	scheme string // before the colon
	rest   string // its shape behind the colon, for people
	words  string // what may stand for "scheme:" instead
	open   func(ctx context.Context, rest string) (store, error)
}

type store interface {
	hosts.Store
	io.Closer
}

var backends = []backend{
	{"memory", "", "cache", memory},
	{"file", "DIR", "filesystem", file},
}

// Store opens the store that a name means:
//
//	memory:      this process's memory ("cache" means the same)
//	file:DIR     a directory, ./sessions if DIR is empty ("filesystem" means the same)
//
// The Closer frees it. An error names what is allowed and shows nothing of what
// stands behind the scheme, where other stores may have a password. ctx bounds
// the opening alone.
func Store(ctx context.Context, url string) (hosts.Store, io.Closer, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	for _, b := range backends {
		if ok && scheme == b.scheme || !ok && url == b.words {
			s, err := b.open(ctx, rest)
			if err != nil {
				return nil, nil, fmt.Errorf("open store %s: %w", b.scheme, err)
			}
			return s, s, nil
		}
	}
	if url == "database" {
		return nil, nil, refuse(url, Allowed()+"; databases are not among them yet")
	}
	return nil, nil, refuse(scheme, Allowed())
}

// Allowed lists the names that Store takes, for help texts.
func Allowed() string {
	var list []string
	for _, b := range backends {
		list = append(list, b.scheme+":"+b.rest, b.words)
	}
	return strings.Join(list, ", ")
}

// Dir returns the directory of a file store, and whether url names one.
func Dir(url string) (dir string, ok bool) {
	if url == "filesystem" {
		return fsstore.DefaultDir, true
	}
	dir, ok = strings.CutPrefix(url, "file:")
	switch {
	case !ok || machineIn(dir):
		return "", false
	case dir == "":
		return fsstore.DefaultDir, true
	}
	return dir, true
}

func refuse(value, allowed string) error {
	return fmt.Errorf("open store: %w", &hosts.ConfigError{Field: "store", Value: value, Allowed: allowed})
}

func memory(_ context.Context, rest string) (store, error) {
	if rest != "" {
		return nil, &hosts.ConfigError{Field: "store", Value: "memory: with more behind it", Allowed: "memory: alone"}
	}
	return cachestore.Open(cachestore.Options{})
}

// machineIn finds file://dir, where dir would be the name of a machine;
// file:///dir is how URLs are written.
func machineIn(rest string) bool {
	return strings.HasPrefix(rest, "//") && !strings.HasPrefix(rest, "///")
}

func file(_ context.Context, rest string) (store, error) {
	if machineIn(rest) {
		return nil, &hosts.ConfigError{Field: "store", Value: "file://", Allowed: "file:DIR, file:/DIR or file:///DIR"}
	}
	return fsstore.Open(fsstore.Options{Dir: rest})
}
