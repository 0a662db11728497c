package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/stores"
)

var cacheCommand = Command{
	Name: "cache", Args: "status|on|off", Brief: "show or change whether servers may cache this store's sessions",
	About: `A server that caches sessions sets a mark in the store. While it is set, every logout
waits 600 ms: after that, no server answers from a copy of the session any more.

status  shows whether servers cache: none (they never did), on, stopping or off
off     stops all caches. When the command returns, no server uses a cache, and logouts
        no longer wait. Run it before you go back to a release without the cache
on      allows caches again; servers begin to use theirs within a few seconds. In a database
        it creates the feed that caches read, if no server has; that needs the right to
        create tables and triggers`,
	Examples: []string{"sessionctl cache status", "sessionctl cache off"},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		c := &cacheMark{}
		c.target.add(set)
		return c.run
	},
}

type cacheMark struct{ target }

func (c *cacheMark) run(ctx context.Context, p *Program, args []string) error {
	switch {
	case len(args) == 0:
		return Usagef("cache: no word is given; allowed: status, on or off")
	case len(args) > 1:
		return Usagef("cache: the words are %q; allowed: one of status, on and off", typed(args))
	case !slices.Contains([]string{"status", "on", "off"}, args[0]):
		return Usagef("cache: the word is %q; allowed: status, on or off", stores.Typed(args[0]))
	}
	way := stores.OpenExisting
	if args[0] == "on" {
		way = openToChange
	}
	return c.by(ctx, p, way, func(store hosts.Store) error {
		marked, ok := hosts.As[feed.Caching](store)
		if !ok {
			return fmt.Errorf("cache: %w, so that no server caches its sessions", feed.ErrUnsupported)
		}
		if able, ok := marked.(interface{ CanCache() error }); ok {
			if err := able.CanCache(); err != nil {
				return fmt.Errorf("cache: %w", err)
			}
		}
		state, err := marked.CachingState(ctx)
		switch {
		case err != nil:
		case args[0] == "on" && state == feed.None:
			err = marked.EnableCaching(ctx)
		case args[0] == "on" && state != feed.On:
			err = switchOn(ctx, marked)
		case args[0] == "off" && state != feed.Off:
			err = switchOff(ctx, marked, state)
		}
		if err == nil {
			state, err = marked.CachingState(ctx)
		}
		if err != nil {
			return stopped(ctx, "cache", err)
		}
		if c.json {
			return p.object(map[string]string{"caching": state.String()})
		}
		_, err = fmt.Fprintln(p.Out, "caching:", state)
		return err
	})
}

// openToChange opens an existing store so that the feed can be created in it.
func openToChange(ctx context.Context, name string) (hosts.Store, io.Closer, error) {
	return openAfterALook(ctx, name, stores.OpenMigrated)
}

// switchOn creates the feed if it is missing, and then allows caches.
func switchOn(ctx context.Context, marked feed.Caching) error {
	follower, err := marked.Follow(ctx)
	if err == nil {
		err = follower.Close()
	}
	if err != nil {
		return err
	}
	return marked.SetCaching(ctx, feed.On)
}

// switchOff stops the caches first, and the waiting of logouts when the last cache has
// surely stopped.
func switchOff(ctx context.Context, marked feed.Caching, state feed.State) error {
	if state == feed.On {
		if err := marked.SetCaching(ctx, feed.Stopping); err != nil {
			return err
		}
	}
	if state != feed.None {
		select {
		case <-time.After(feed.Wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return marked.SetCaching(ctx, feed.Off)
}

// examineFeed looks whether caches can follow the store where they are in use.
func (d *doctor) examineFeed(ctx context.Context, store hosts.Store) {
	marked, ok := hosts.As[feed.Caching](store)
	if !ok {
		return
	}
	state, err := marked.CachingState(ctx)
	switch {
	case err != nil:
		d.finding("store", "see the message", "the mark of caches cannot be read: %v", err)
		return
	case state == feed.None || state == feed.Off:
		d.note("store", "its sessions are cached by no server (%v)", state)
		return
	case state == feed.Stopping:
		d.finding("store", "run sessionctl cache off once more, or sessionctl cache on", "caches are being stopped, and logouts still wait for them")
		return
	}
	if err := feedAnswers(ctx, marked); err != nil {
		d.finding("store", "fix what the message says; until then every read asks the store, and logouts wait for nothing", "servers cache its sessions, but its feed of changes does not work: %v", err)
		return
	}
	d.fine("store", "servers cache its sessions, and its feed of changes answers")
}

// feedAnswers asks the feed, or looks at what it needs without making it anew.
func feedAnswers(ctx context.Context, marked feed.Caching) error {
	if checker, ok := marked.(interface{ CheckFeed(context.Context) error }); ok {
		return checker.CheckFeed(ctx)
	}
	follower, err := marked.Follow(ctx)
	if err != nil {
		return err
	}
	changes, err := follower.Changes(ctx)
	return errors.Join(err, changes.Gap, follower.Close())
}
