package sessionctl

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// storeVariable names the store where --store does not.
const storeVariable = "SESSION_STORE"

// openTimeout bounds the opening of a store, its migration included.
const openTimeout = 90 * time.Second

// A target is the store that a command works on, and how it reports on it.
type target struct {
	url         string
	json, quiet bool
}

// add enters the flags. The environment is read later, so that no help shows it.
func (t *target) add(set *flag.FlagSet) {
	set.StringVar(&t.url, "store", "", "the `STORE` to work on, such as sqlite:sessions.db; see sessionctl help")
	set.BoolVar(&t.json, "json", false, "print JSON, one object per line")
	set.BoolVar(&t.quiet, "quiet", false, quietUsage)
}

const quietUsage = "show no progress on stderr; with --json there is none anyway"

func (t *target) meter(p *Program, verb string) *meter { return p.meter(verb, t.quiet || t.json) }

// name returns what names the store.
func (t *target) name() (string, error) {
	url := cmp.Or(t.url, os.Getenv(storeVariable))
	if url == "" {
		return "", Usagef("no store is named; allowed: --store STORE or %s, such as sqlite:sessions.db; see sessionctl help", storeVariable)
	}
	return url, nil
}

// with opens the store for f and closes it. What is no store is refused unless
// create is set: the name is likely wrong, and an empty store would answer that
// nobody is signed in. Nor may a look at sessions change the tables of a server.
func (t *target) with(ctx context.Context, p *Program, create bool, f func(hosts.Store) error) error {
	if create {
		return t.by(ctx, p, stores.Open, f)
	}
	return t.by(ctx, p, stores.OpenExisting, f)
}

// by opens the store in one of the ways.
func (t *target) by(ctx context.Context, p *Program, way func(context.Context, string) (hosts.Store, io.Closer, error), f func(hosts.Store) error) (err error) {
	url, err := t.name()
	if err != nil {
		return err
	}
	if url == "memory:" || url == "cache" {
		return Usagef("the store is %s, this command's own memory, which has no sessions of any server; allowed: a store that servers share", url)
	}
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	m := t.meter(p, "opening the store")
	store, closer, err := way(opening, url)
	m.done()
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("interrupted while the store was opened")
	case err != nil:
		return opened(err)
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	return f(store)
}

// remedyNoStore is what to do about stores.ErrNoStore.
const remedyNoStore = "name the right one with --store; sessionctl migrate makes a store or brings it up to date"

// opened is the error of opening a store. A name that nobody could open is
// wrong usage; what a store is found to be like is not.
func opened(err error) error {
	if errors.Is(err, stores.ErrNoStore) {
		if strings.Contains(err.Error(), "\n") { // it ends in SQL
			return fmt.Errorf("%s: %w", remedyNoStore, err)
		}
		return fmt.Errorf("%w; %s", err, remedyNoStore)
	}
	var refused *hosts.ConfigError
	if !errors.As(err, &refused) {
		return errors.New(oneLine(err.Error()))
	}
	switch field, _, _ := strings.Cut(refused.Field, " "); field {
	case "store", "URL", "path", "Table", "Prefix", "MaxConns":
		return usageError{err}
	}
	return err
}

// object prints v as one line of JSON.
func (p *Program) object(v any) error {
	e := json.NewEncoder(p.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// stopped distinguishes an interrupt from what it made fail.
func stopped(ctx context.Context, verb string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: interrupted", verb)
	case err != nil:
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}
