package conformance

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var cutBatchCases = []testCase{
	{"batch-cut", "A SaveMany whose context ends on the way: nil means applied; ErrBatch, which all answers wrap then, that nothing is and will be.", batchCut},
	{"load-many-cut", "A LoadMany whose context ends anywhere on its way never says that a session is missing which is there.", loadManyCut},
}

// batchCut looks at once and, for what comes late, at the end. Some batches are
// so large that an engine may want them in pieces.
func batchCut(p *probe) {
	const small, large = 8, 130
	never := make(map[core.ID]core.Record) // what must stay as it is
	for i := range 60 {
		p.cutBatch(i, small, never, func(call func(context.Context)) {
			_ = p.cutOff(func(ctx context.Context) error { call(ctx); return nil })
		})
	}
	for _, size := range []int{small, large} {
		all := p.insertMany(size, p.soon)
		took := timed(func() { all = p.replaceMany(all) })
		p.moments(took, func(i int, cut func() context.Context) {
			if size == small || i/20 == 0 {
				p.cutBatch(i/20, size, never, func(call func(context.Context)) { call(cut()) })
			}
		})
		p.deleteAll(all)
	}
	for _, r := range never {
		p.holds(p.a, r)
	}
}

// cutBatch replaces n records in one batch, which cut cuts off.
func (p *probe) cutBatch(i, n int, never map[core.ID]core.Record, cut func(call func(context.Context))) {
	const kept = 4 // of those that never change
	s, other := p.handle(i), p.handle(i+1)
	all := p.insertMany(n, p.soon)
	saves := make([]hosts.Saving, len(all))
	for n, r := range all {
		saves[n] = hosts.Saving{Record: p.next(r), Prev: r.Version}
	}
	var answers []error
	cut(func(ctx context.Context) { answers = able[hosts.Batcher](s).SaveMany(ctx, saves) })
	if len(answers) != len(saves) {
		p.fail("SaveMany of %d records gives %d answers", len(saves), len(answers))
	}
	whole := errors.Is(answers[0], hosts.ErrBatch)
	for n, err := range answers {
		p.cutError("SaveMany", err)
		if errors.Is(err, hosts.ErrBatch) != whole {
			p.fail("some answers of SaveMany wrap hosts.ErrBatch and some do not: at [0] %v, at [%d] %v", answers[0], n, err)
		}
	}
	ids := make([]core.ID, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	for n, got := range p.loadMany(other, ids) {
		var d string
		switch {
		case got.Err != nil:
			p.fail("after a SaveMany whose context ended LoadMany answers at [%d]: %v", n, got.Err)
		case whole:
			d = difference(all[n], got.Record)
		case answers[n] == nil:
			d = difference(saves[n].Record, got.Record)
		}
		if d != "" {
			p.fail("SaveMany answers at [%d]: %v, and then: %s", n, answers[n], d)
		}
	}
	if whole {
		for _, r := range all[:kept] {
			never[r.ID] = r
		}
		all = all[kept:]
	}
	p.deleteAll(all)
}

// replaceMany replaces all in one batch and returns what is there now.
func (p *probe) replaceMany(all []core.Record) []core.Record {
	saves := make([]hosts.Saving, len(all))
	for i, r := range all {
		saves[i] = hosts.Saving{Record: p.next(r), Prev: r.Version}
	}
	next := make([]core.Record, len(all))
	for i, err := range p.saveMany(p.a, saves) {
		if err != nil {
			p.fail("SaveMany answers at [%d]: %v", i, err)
		}
		next[i] = saves[i].Record
	}
	return next
}

// deleteAll deletes by several clients.
func (p *probe) deleteAll(all []core.Record) {
	const clients = 8
	p.together(clients, func(c int) {
		for i := c; i < len(all); i += clients {
			p.delete(p.handle(i), all[i].ID)
		}
	})
}

func loadManyCut(p *probe) {
	all := p.insertMany(30, p.soon)
	ids := make([]core.ID, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	took := timed(func() { p.loadMany(p.a, ids) })
	p.moments(took, func(i int, cut func() context.Context) {
		got := able[hosts.Batcher](p.handle(i/20)).LoadMany(cut(), ids)
		if len(got) != len(ids) {
			p.fail("LoadMany of %d IDs gives %d answers", len(ids), len(got))
		}
		for n, a := range got {
			p.cutError("LoadMany", a.Err)
			if d := difference(all[n], a.Record); a.Err == nil && d != "" {
				p.fail("LoadMany, whose context ends on the way, answers at [%d]: %s", n, d)
			}
		}
	})
}
