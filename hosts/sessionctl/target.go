package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/open"
)

// storeVariable names the store where --store does not.
const storeVariable = "SESSION_STORE"

// openTimeout bounds the opening of a store, its migration included.
const openTimeout = 90 * time.Second

// A target is the store that a command works on, and how it tells of it.
type target struct {
	url            string
	json, progress bool
}

// add enters the flags. The environment is read later, so that no help shows it.
func (t *target) add(set *flag.FlagSet) {
	set.StringVar(&t.url, "store", "", "work on `STORE`: "+open.Allowed()+"; without it on the one that "+storeVariable+" names")
	set.BoolVar(&t.json, "json", false, "print JSON, an object a line")
	set.BoolVar(&t.progress, "progress", false, "tell on stderr how far it is, also where that is no terminal")
}

// with opens the store for f and closes it. A directory that is not there is
// refused unless create is set: the name is likely wrong, and an empty store
// would answer that nobody is signed in.
func (t *target) with(ctx context.Context, create bool, f func(hosts.Store) error) (err error) {
	url := cmp.Or(t.url, os.Getenv(storeVariable))
	switch url {
	case "":
		return usagef("no store is named; allowed: --store STORE or %s, with %s", storeVariable, open.Allowed())
	case "memory:", "cache":
		return usagef("the store is %s, this command's own memory, which has no sessions of any server; allowed: a store that servers share", url)
	}
	if dir, ok := open.Dir(url); ok && !create {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the directory %s of the store is not there; name the right one with --store, or mkdir -m 700 %s", dir, dir)
		}
	}
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	store, closer, err := open.Store(opening, url)
	var refused *hosts.ConfigError
	if errors.As(err, &refused) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	return f(store)
}

// object prints v as one line of JSON.
func (p *program) object(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// stopped tells an interrupt from what it made fail.
func stopped(ctx context.Context, verb string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: interrupted", verb)
	case err != nil:
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}
