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
	"strings"
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
	set.StringVar(&t.url, "store", "", "work on `STORE`, a name as below; without it on the one that "+storeVariable+" has")
	set.BoolVar(&t.json, "json", false, "print JSON, an object a line")
}

// addProgress is for the commands that may take long.
func (t *target) addProgress(set *flag.FlagSet) {
	set.BoolVar(&t.progress, "progress", false, "tell on stderr how far it is, also where that is no terminal")
}

// name returns what names the store.
func (t *target) name() (string, error) {
	url := cmp.Or(t.url, os.Getenv(storeVariable))
	if url == "" {
		return "", usagef("no store is named; allowed: --store STORE or %s, with %s", storeVariable, open.Allowed())
	}
	return url, nil
}

// with opens the store for f and closes it. One that is not there is refused
// unless create is set: the name is likely wrong, and an empty store would
// answer that nobody is signed in.
func (t *target) with(ctx context.Context, create bool, f func(hosts.Store) error) (err error) {
	url, err := t.name()
	if err != nil {
		return err
	}
	if url == "memory:" || url == "cache" {
		return usagef("the store is %s, this command's own memory, which has no sessions of any server; allowed: a store that servers share", url)
	}
	if !create {
		if err := missing(url); err != nil {
			return err
		}
	}
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	store, closer, err := open.Store(opening, url)
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("interrupted while the store was opened")
	case err != nil:
		return opened(err)
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	return f(store)
}

// missing finds a directory or a file that is not there.
func missing(url string) error {
	for _, place := range []func(string) (string, bool){open.Dir, open.File} {
		path, ok := place(url)
		if !ok {
			continue
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s of the store is not there; name the right one with --store; migrate makes a new one", path)
		}
	}
	return nil
}

// opened is the error of opening a store. A name that nobody could open is
// wrong usage; what a store is found to be like is not.
func opened(err error) error {
	var refused *hosts.ConfigError
	if !errors.As(err, &refused) {
		return err
	}
	switch field, _, _ := strings.Cut(refused.Field, " "); field {
	case "store", "URL", "path", "Table", "Prefix":
		return usageError{err}
	}
	return err
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
