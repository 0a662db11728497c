package conformance

import (
	"bytes"
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// staged is the store as the managers of a stage see it.
type staged struct {
	*stage
	handle int
}

// stagedFinder is staged over a store that can list sessions.
type stagedFinder struct{ staged }

// seen returns the store of one handle, with hosts.Finder if both have that.
func (s *stage) seen(handle int) hosts.Store {
	v := staged{s, handle}
	if s.finds() {
		return stagedFinder{v}
	}
	return v
}

func (s *stage) finds() bool {
	return offers[hosts.Finder](s.stores[0]) && offers[hosts.Finder](s.stores[1])
}

func (s staged) Load(ctx context.Context, id core.ID) (core.Record, error) {
	o := s.pass(turn{
		ctx: ctx, handle: s.handle,
		what: func() string { return "load " + s.name("session", id) },
		call: func(ctx context.Context, store hosts.Store) outcome {
			r, err := store.Load(ctx, id)
			if err != nil {
				return outcome{err: err}
			}
			return outcome{found: []core.Record{r}}
		},
	})
	if len(o.found) == 0 {
		return core.Record{}, o.err
	}
	return o.found[0], o.err
}

func (s staged) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return s.pass(turn{
		ctx: ctx, handle: s.handle,
		what: func() string {
			over := "anew"
			if prev != core.NoVersion {
				over = "over " + s.name("version", prev)
			}
			if hosts.IsTouch(ctx) {
				over += ", a touch"
			}
			return "save " + s.name("session", r.ID) + " as " + s.name("version", r.Version) + " " + over
		},
		call: func(ctx context.Context, store hosts.Store) outcome {
			own := r
			own.Sealed = bytes.Clone(r.Sealed)
			return outcome{err: store.Save(ctx, own, prev)}
		},
	}).err
}

func (s staged) Delete(ctx context.Context, id core.ID) error {
	return s.pass(turn{
		ctx: ctx, handle: s.handle,
		what: func() string { return "delete " + s.name("session", id) },
		call: func(ctx context.Context, store hosts.Store) outcome { return outcome{err: store.Delete(ctx, id)} },
	}).err
}

func (s stagedFinder) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	o := s.pass(turn{
		ctx: ctx, handle: s.handle,
		what: func() string { return "find the sessions of " + q.User },
		call: func(ctx context.Context, store hosts.Store) outcome {
			found, err := able[hosts.Finder](store).Find(ctx, q, after, limit)
			return outcome{found: found, err: err}
		},
	})
	return o.found, o.err
}
