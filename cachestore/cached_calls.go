package cachestore

import (
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Load implements hosts.Store: it asks the store, and keeps the answer.
func (c *Cached) Load(ctx context.Context, id core.ID) (core.Record, error) {
	flight := c.ring(id).begin(id)
	r, err := c.store.Load(ctx, id)
	c.loaded(flight, id, &r, err)
	return r, err
}

func (c *Cached) loaded(flight flight, id core.ID, r *core.Record, err error) {
	if err != nil || r.ID != id {
		c.ring(id).end(flight, id, nil, core.NoVersion)
		return
	}
	c.ring(id).end(flight, id, r, core.NoVersion)
}

// Save implements hosts.Store.
func (c *Cached) Save(ctx context.Context, r core.Record, prev core.Version) error {
	flight := c.ring(r.ID).begin(r.ID)
	err := c.store.Save(ctx, r, prev)
	c.saved(flight, &r, prev, err)
	return err
}

// saved keeps what was stored. Nothing is known of what is stored after an error.
func (c *Cached) saved(flight flight, r *core.Record, prev core.Version, err error) {
	if err != nil {
		c.ring(r.ID).drop(flight, r.ID)
		return
	}
	c.ring(r.ID).replace(flight, r, prev)
}

// Delete implements hosts.Store.
func (c *Cached) Delete(ctx context.Context, id core.ID) error {
	flight := c.ring(id).begin(id)
	err := c.store.Delete(ctx, id)
	c.ring(id).drop(flight, id)
	return err
}

// LoadMany implements hosts.Batcher.
func (c *Cached) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	flights := c.beginAll(len(ids), func(i int) core.ID { return ids[i] })
	var answers []hosts.Loaded
	if b, ok := hosts.As[hosts.Batcher](c.store); ok {
		answers = b.LoadMany(ctx, ids)
	} else {
		for _, id := range ids {
			r, err := c.store.Load(ctx, id)
			answers = append(answers, hosts.Loaded{Record: r, Err: err})
		}
	}
	for i, id := range ids {
		if i < len(answers) {
			c.loaded(flights[i], id, &answers[i].Record, answers[i].Err)
		} else {
			c.ring(id).drop(flights[i], id)
		}
	}
	return answers
}

// SaveMany implements hosts.Batcher.
func (c *Cached) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	flights := c.beginAll(len(saves), func(i int) core.ID { return saves[i].Record.ID })
	var answers []error
	if b, ok := hosts.As[hosts.Batcher](c.store); ok {
		answers = b.SaveMany(ctx, saves)
	} else {
		for _, s := range saves {
			one := ctx
			if s.Touch {
				one = hosts.TouchContext(ctx)
			}
			answers = append(answers, c.store.Save(one, s.Record, s.Prev))
		}
	}
	for i := range saves {
		err := error(hosts.ErrUnknown)
		if i < len(answers) {
			err = answers[i]
		}
		c.saved(flights[i], &saves[i].Record, saves[i].Prev, err)
	}
	return answers
}

// DeleteMany implements hosts.BatchDeleter.
func (c *Cached) DeleteMany(ctx context.Context, ids []core.ID) []error {
	flights := c.beginAll(len(ids), func(i int) core.ID { return ids[i] })
	var answers []error
	if b, ok := hosts.As[hosts.BatchDeleter](c.store); ok {
		answers = b.DeleteMany(ctx, ids)
	} else {
		for _, id := range ids {
			answers = append(answers, c.store.Delete(ctx, id))
		}
	}
	for i, id := range ids {
		c.ring(id).drop(flights[i], id)
	}
	return answers
}

func (c *Cached) beginAll(n int, id func(int) core.ID) []flight {
	flights := make([]flight, n)
	for i := range flights {
		flights[i] = c.ring(id(i)).begin(id(i))
	}
	return flights
}
