package sessionctl

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// maxPasses bounds end-all over sessions that keep appearing.
const maxPasses = 100

var endCommand = Command{
	Name: "end", Args: "ID...", IDs: true, Brief: "end sessions by their IDs",
	About: `Ends the sessions with these IDs, as a logout does: at once, on every server, for good.
It needs no key and does not ask for confirmation. A session that does not exist is no
error. If one of the arguments is not an ID, no session is ended.`,
	Examples: []string{`sessionctl end sBzS0p1aQkq3M0nJq2p9rw`, `sessionctl end sBzS0p1aQkq3M0nJq2p9rw 7Zt9yAAAAAAAAAAAAAAAAQ`},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		t := &target{}
		t.add(set)
		return t.end
	},
}

var endAllCommand = Command{
	Name: "end-all", Brief: "end all sessions of a user, of a tenant, or of everybody",
	About: `Ends the selected sessions, as a logout does: at once, on every server, for good. It
searches again until a whole pass finds none, so that a login at the same moment does
not slip through. It needs no key and does not ask for confirmation.

  end-all --user U                 the sessions of U that have no tenant
  end-all --user U --tenant T      the sessions of U in T
  end-all --user U --all-tenants   all sessions of U
  end-all --tenant T               all sessions in T, signed in or not
  end-all --all-tenants            all sessions

With --user alone, sessions of U in tenants stay. If there are any, the command says so,
and the exit code is 1.`,
	Examples: []string{`sessionctl end-all --user alice`, `sessionctl end-all --user alice --all-tenants`, `sessionctl end-all --tenant acme`},
	Flags:    endAllFlags,
}

// maxEcho is how much of an argument an error repeats, in bytes: a cookie in the
// place of an ID is not to be shown whole.
const maxEcho = 24

// parseIDs reads all before anything is done with one.
func parseIDs(verb string, args []string) ([]core.ID, error) {
	if len(args) == 0 {
		return nil, Usagef("%s: no session ID is given; allowed: 22 characters, as list prints them", verb)
	}
	ids := make([]core.ID, len(args))
	for i, arg := range args {
		var err error
		if ids[i], err = core.ParseID(arg); err != nil {
			if arg = stores.Typed(arg); len(arg) > maxEcho {
				arg = arg[:maxEcho] + "..."
			}
			return nil, Usagef("%s: %q is no session ID; allowed: 22 characters, as list prints them", verb, arg)
		}
	}
	return ids, nil
}

// An end is what became of the sessions that were named.
type end struct {
	ended, missing, failed int
	first                  error // of those that failed
}

// endEach tries every session, also where one before it failed, until ctx ends.
func endEach(ctx context.Context, store hosts.Store, ids []core.ID, m *meter) (e end) {
	for n, id := range ids {
		if ctx.Err() != nil {
			return e
		}
		there, err := endOne(ctx, store, id)
		switch {
		case err != nil:
			e.failed++
			e.first = cmp.Or(e.first, fmt.Errorf("session %v: %w", id, err))
		case there:
			e.ended++
		default:
			e.missing++
		}
		m.add(1, float64(n+1)/float64(len(ids)))
	}
	return e
}

func endOne(ctx context.Context, store hosts.Store, id core.ID) (there bool, err error) {
	ctx, cancel := begin(ctx, callTime)
	defer cancel()
	_, err = store.Load(ctx, id)
	there = !errors.Is(err, core.ErrNotFound)
	return there, store.Delete(ctx, id)
}

func (t *target) end(ctx context.Context, p *Program, args []string) error {
	ids, err := parseIDs("end", args)
	if err != nil {
		return err
	}
	return t.with(ctx, p, false, func(store hosts.Store) error {
		m := t.meter(p, "end")
		e := endEach(ctx, store, ids, m)
		final(ctx, store)
		m.done()
		if err := t.told(p, e.ended, e.missing); err != nil {
			return err
		}
		if e.failed > 1 {
			e.first = fmt.Errorf("%s are left, the first of them: %w", plural(e.failed), e.first)
		}
		return stopped(ctx, "end", e.first)
	})
}

func (t *target) told(p *Program, ended, missing int) error {
	if t.json {
		return p.object(map[string]int{"ended": ended, "missing": missing})
	}
	_, err := fmt.Fprintf(p.Out, "ended %s", plural(ended))
	if err == nil && missing > 0 {
		_, err = fmt.Fprintf(p.Out, "; not there: %d", missing)
	}
	if err == nil {
		_, err = fmt.Fprintln(p.Out)
	}
	return err
}

type ending struct {
	target
	selection
	everywhere bool
}

func endAllFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	e := &ending{}
	e.target.add(set)
	e.selection.add(set, "sessions of `USER`", "sessions of `TENANT`")
	set.BoolVar(&e.everywhere, "all-tenants", false, "in all tenants; without --user, all sessions of the store")
	return e.run
}

// check refuses what was likely meant otherwise, such as an empty variable.
func (e *ending) check() error {
	switch {
	case e.user == nil && e.tenant == nil && !e.everywhere:
		return Usagef("end-all: nothing is selected; allowed: --user, --tenant, --all-tenants")
	case e.user != nil && *e.user == "":
		return Usagef(`end-all: --user is ""; allowed: a user`)
	case e.tenant != nil && *e.tenant == "" && e.user != nil:
		return Usagef(`end-all: --tenant is ""; allowed: a tenant, or leave it out: --user alone selects the sessions without one`)
	case e.tenant != nil && *e.tenant == "":
		return Usagef(`end-all: --tenant is ""; allowed: a tenant. Sessions without one are ended by --user, or by the IDs that list --tenant "" shows`)
	case e.tenant != nil && e.everywhere:
		return Usagef("end-all: --tenant and --all-tenants; allowed: one of them")
	}
	return nil
}

func (e *ending) run(ctx context.Context, p *Program, _ []string) error {
	if err := e.check(); err != nil {
		return err
	}
	q := e.query()
	q.AnyTenant = e.everywhere
	return e.with(ctx, p, false, func(store hosts.Store) error {
		m := e.meter(p, "end-all")
		ended, err := endAll(ctx, store, q, m)
		final(ctx, store)
		m.done()
		if told := e.told(p, ended, 0); told != nil {
			return told
		}
		if err := stopped(ctx, "end-all", err); err != nil {
			return err
		}
		if e.tenant == nil && !e.everywhere {
			q.AnyTenant = true
			for _, err := range walk(ctx, store, q) {
				if err != nil {
					return stopped(ctx, "end-all", err)
				}
				return fmt.Errorf("end-all: %s also has sessions in tenants, which stay; to end them, give --tenant or --all-tenants", shown(*e.user))
			}
		}
		return nil
	})
}

// endAll repeats itself until a whole pass finds none.
func endAll(ctx context.Context, store hosts.Store, q hosts.Query, m *meter) (int, error) {
	var ended atomic.Int64
	for range maxPasses {
		before := ended.Load()
		err := each(ctx, walk(ctx, store, q), workers, func(ctx context.Context, r core.Record) error {
			if hosts.IsMarker(&r) {
				return nil
			}
			if err := store.Delete(ctx, r.ID); err != nil {
				return fmt.Errorf("session %v: %w", r.ID, err)
			}
			ended.Add(1)
			m.add(1, shareBefore(r.ID))
			return nil
		})
		if err != nil || ended.Load() == before {
			return int(ended.Load()), err
		}
	}
	return int(ended.Load()), fmt.Errorf("there are still new ones after %d passes: %w", maxPasses, hosts.ErrBusy)
}
