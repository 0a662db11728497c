package conformance

import (
	"context"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// fed is a map store with a feed and a mark, some of whose methods are replaced.
type fed struct {
	*flawed
	log  feed.Log
	mark atomic.Int64

	note    func(feed.Change)
	follow  func(context.Context) (feed.Follower, error)
	changes func(context.Context, feed.Follower) (feed.Changes, error)
	end     func(feed.Follower) error
	enable  func(context.Context) error
	state   func(context.Context) (feed.State, error)
	set     func(context.Context, feed.State) error
}

func newFed() *fed {
	f := &fed{flawed: newFlawed()}
	f.note, f.follow, f.changes, f.end = f.log.Note, f.log.Follow, f.answer, feed.Follower.Close
	f.enable, f.state, f.set = f.rightEnable, f.rightState, f.rightSet
	save, end := f.flawed.save, f.flawed.delete
	f.flawed.save = func(ctx context.Context, r core.Record, prev core.Version) error {
		err := save(ctx, r, prev)
		if err == nil && prev != core.NoVersion && !hosts.IsTouch(ctx) {
			f.note(feed.Change{ID: r.ID, Version: r.Version, Prev: prev})
		}
		return err
	}
	f.flawed.delete = func(ctx context.Context, id core.ID) error {
		err := end(ctx, id)
		if err == nil {
			f.note(feed.Change{ID: id})
		}
		return err
	}
	f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
		all := make([]error, len(saves))
		for i, s := range saves {
			one := ctx
			if s.Touch {
				one = hosts.TouchContext(ctx)
			}
			all[i] = f.Save(one, s.Record, s.Prev)
		}
		return all
	}
	f.endMany = func(ctx context.Context, ids []core.ID) []error {
		all := make([]error, len(ids))
		for i, id := range ids {
			all[i] = f.Delete(ctx, id)
		}
		return all
	}
	return f
}

// fedFollower is a follower of a fed store.
type fedFollower struct {
	feed.Follower
	f *fed
}

func (w fedFollower) Changes(ctx context.Context) (feed.Changes, error) {
	return w.f.changes(ctx, w.Follower)
}
func (w fedFollower) Close() error { return w.f.end(w.Follower) }

// answer reads the mark first: a logout that deletes after the entries were read and then sees
// no mark has read it before it was set.
func (f *fed) answer(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
	on := feed.State(f.mark.Load()) == feed.On
	c, err := behind.Changes(ctx)
	c.Caching = on
	return c, err
}

func (f *fed) Follow(ctx context.Context) (feed.Follower, error) {
	behind, err := f.follow(ctx)
	if err != nil {
		return nil, err
	}
	return fedFollower{behind, f}, nil
}

func (f *fed) EnableCaching(ctx context.Context) error              { return f.enable(ctx) }
func (f *fed) CachingState(ctx context.Context) (feed.State, error) { return f.state(ctx) }
func (f *fed) SetCaching(ctx context.Context, to feed.State) error  { return f.set(ctx, to) }

func (f *fed) rightEnable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !f.mark.CompareAndSwap(int64(feed.None), int64(feed.On)) && feed.State(f.mark.Load()) != feed.On {
		return feed.ErrCachingOff
	}
	return nil
}

func (f *fed) rightState(ctx context.Context) (feed.State, error) {
	return feed.State(f.mark.Load()), ctx.Err()
}

func (f *fed) rightSet(ctx context.Context, to feed.State) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mark.Store(int64(to))
	return nil
}
