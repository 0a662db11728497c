package conformance

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

var feedCases = []testCase{
	{"feed-saves", "Changes reports every save that replaced a record and was acknowledged before the call, whichever process made it, with its version if it has one.", feedSaves},
	{"feed-deletes", "Changes reports every delete that was acknowledged before the call, whichever process made it.", feedDeletes},
	{"feed-batches", "What SaveMany and DeleteMany have done is reported like single calls.", feedBatches},
	{"feed-touches", "Saves that only note a use hide no change that comes before, between or after them.", feedTouches},
	{"feed-from-now", "A follower reports what is done after Follow has returned, whenever its first question comes; what was done before can be loaded.", feedFromNow},
	{"feed-quiet", "Where nothing has changed, an answer is complete and has no entry: no gap, and nothing that was reported before.", feedQuiet},
	{"feed-under-saves", "Nothing that was acknowledged before a question is lost between two of them, however many write meanwhile.", feedUnderSaves},
	{"feed-readable", "No change is reported before Load returns it, in any process.", feedReadable},
	{"feed-context", "Follow and Changes return the context's error when their context has ended.", feedContext},
	{"feed-cut", "A question that was cut off loses nothing: the next one reports it, or a gap.", feedCut},
	{"feed-slept", "A follower that was not asked for long reports everything, or a gap.", feedSlept},
	{"feed-two", "Followers are independent: each reports everything, in whatever order they are asked.", feedTwo},
	{"feed-close", "A follower that is closed disturbs no other, and a new one can begin.", feedClose},
}

// canFollow and canCache are asked of stores that have a feed in some forms only.
type (
	canFollow interface{ CanFollow() error }
	canCache  interface{ CanCache() error }
)

// offersFeed reports whether a store has a feed, in the form in which it was opened.
func offersFeed(s hosts.Store) bool {
	source, ok := hosts.As[feed.Source](s)
	if able, asks := source.(canFollow); ok && asks {
		ok = able.CanFollow() == nil
	}
	if able, asks := source.(canCache); ok && asks {
		ok = able.CanCache() == nil
	}
	return ok
}

// ear is a follower and what it was answered last.
type ear struct {
	p *probe
	feed.Follower
	caching  bool
	reported map[core.ID][]core.Version // no version: a delete, or not known
}

func (p *probe) follow(s hosts.Store) *ear {
	f, err := able[feed.Source](s).Follow(p.ctx)
	if err != nil {
		p.fail("Follow: %v", err)
	}
	return &ear{p: p, Follower: f}
}

func (e *ear) close() {
	if err := e.Close(); err != nil {
		e.p.note("Close of a follower: %v", err)
	}
}

// ask asks one question, which must be answered completely.
func (e *ear) ask() {
	if gap := e.hear(); gap != nil {
		e.p.fail("Changes reports a gap where nothing was lost: %v", gap)
	}
}

// hear asks one question and returns its gap.
func (e *ear) hear() (gap error) {
	c, err := e.Changes(e.p.ctx)
	if err != nil {
		e.p.fail("Changes: %v", err)
	}
	if len(c.Entries) > feed.MaxChanges {
		e.p.fail("Changes reports %d entries, of at most %d (feed.MaxChanges)", len(c.Entries), feed.MaxChanges)
	}
	e.caching, e.reported = c.Caching, make(map[core.ID][]core.Version)
	e.add(c)
	return c.Gap
}

func (e *ear) add(c feed.Changes) {
	for _, one := range c.Entries {
		e.reported[one.ID] = append(e.reported[one.ID], one.Version)
	}
}

// wants a save in the last answer, or what has replaced it: no version that it replaced.
func (e *ear) wants(r core.Record, what string, replaced ...core.Version) {
	if !slices.ContainsFunc(e.reported[r.ID], func(v core.Version) bool { return !slices.Contains(replaced, v) }) {
		e.p.fail("%s of version %d of %v was acknowledged, and the next answer has only the versions %d of it", what, r.Version, r.ID, e.reported[r.ID])
	}
}

// ended reports whether the last answer has an entry without a version.
func (e *ear) ended(id core.ID) bool { return slices.Contains(e.reported[id], core.NoVersion) }

// wantsEnd wants a delete in the last answer.
func (e *ear) wantsEnd(id core.ID, what string) {
	if !e.ended(id) {
		e.p.fail("%s of %v was acknowledged, and the next answer has only the versions %d of it", what, id, e.reported[id])
	}
}

func feedSaves(p *probe) {
	for i := range 2 {
		e := p.follow(p.handle(i))
		defer e.close()
		r := p.record()
		p.save(p.b, r, core.NoVersion)
		for n := range 6 {
			was := r
			r = p.next(was)
			p.save(p.handle(n), r, was.Version)
			e.ask()
			e.wants(r, "Save", was.Version)
		}
		var replaced []core.Version
		for n := range 10 {
			was := r
			r = p.next(was)
			p.save(p.handle(n), r, was.Version)
			replaced = append(replaced, was.Version)
		}
		e.ask()
		e.wants(r, "Save", replaced...)
	}
}

func feedDeletes(p *probe) {
	for i := range 2 {
		e := p.follow(p.handle(i))
		defer e.close()
		all := p.saveExpiring(6, p.soon)
		for n, r := range all {
			p.delete(p.handle(n), r.ID)
			if n%3 < 2 {
				e.ask()
				e.wantsEnd(r.ID, "Delete")
			}
		}
		all = p.saveExpiring(20, p.soon)
		e.ask()
		for n, r := range all {
			p.delete(p.handle(n), r.ID)
		}
		e.ask()
		for _, r := range all {
			e.wantsEnd(r.ID, "Delete")
		}
	}
}

func feedBatches(p *probe) {
	e := p.follow(p.a)
	defer e.close()
	all := p.saveExpiring(30, p.soon)
	if offers[hosts.Batcher](p.a) {
		saves := make([]hosts.Saving, len(all))
		e.ask()
		for i, was := range all {
			all[i] = p.next(was)
			saves[i] = hosts.Saving{Record: copied(all[i]), Prev: was.Version}
		}
		for i, err := range able[hosts.Batcher](p.b).SaveMany(p.ctx, saves) {
			if err != nil {
				p.fail("SaveMany answers at [%d]: %v", i, err)
			}
		}
		e.ask()
		for i, r := range all {
			e.wants(r, "SaveMany", saves[i].Prev)
		}
	}
	if offers[hosts.BatchDeleter](p.a) {
		var ids []core.ID
		for _, r := range all {
			ids = append(ids, r.ID)
		}
		p.deleteMany(p.b, ids)
		e.ask()
		for _, id := range ids {
			e.wantsEnd(id, "DeleteMany")
		}
	}
}

func feedTouches(p *probe) {
	e := p.follow(p.a)
	defer e.close()
	touch := func(r core.Record) core.Record {
		next := r
		next.Version = p.version()
		next.SeenAt++
		if err := p.b.Save(hosts.TouchContext(p.ctx), copied(next), r.Version); err != nil {
			p.fail("Save of a touch: %v", err)
		}
		return next
	}
	for n := range 5 {
		r := p.record()
		p.save(p.a, r, core.NoVersion)
		for range 4 {
			replaced := []core.Version{r.Version}
			for range n % 3 {
				r = touch(r)
				replaced = append(replaced, r.Version)
			}
			was := r
			r = p.next(was)
			p.save(p.handle(n), r, was.Version)
			saved := r
			for range n {
				r = touch(r)
			}
			e.ask()
			e.wants(saved, "Save, beside touches,", replaced...)
		}
		r = touch(r)
		p.delete(p.b, r.ID)
		e.ask()
		e.wantsEnd(r.ID, "Delete, after a touch,")
	}
}

func feedFromNow(p *probe) {
	r, ended := p.record(), p.record()
	p.save(p.a, r, core.NoVersion)
	p.save(p.a, ended, core.NoVersion)
	for n := range 4 {
		was := r
		r = p.next(was)
		p.save(p.handle(n), r, was.Version)
		e := p.follow(p.handle(n / 2))
		defer e.close()
		p.holds(p.b, r)
		was = r
		r = p.next(was)
		p.save(p.handle(n), r, was.Version)
		if n == 3 {
			p.delete(p.b, ended.ID)
		}
		e.ask()
		e.wants(r, "Save, after Follow and before the first question,", was.Version)
		if n == 3 {
			e.wantsEnd(ended.ID, "Delete, after Follow and before the first question,")
		}
	}
}

func feedQuiet(p *probe) {
	e := p.follow(p.a)
	defer e.close()
	for n := range 3 {
		r := p.record()
		p.save(p.b, r, core.NoVersion)
		p.save(p.b, p.next(r), r.Version)
		p.delete(p.b, r.ID)
		e.ask()
		e.wantsEnd(r.ID, "Delete")
		for range 3 + n {
			e.ask() // a store may report some once more, but not for ever
		}
		if len(e.reported) > 0 {
			p.fail("Changes reports %d sessions again and again, and nothing has changed", len(e.reported))
		}
	}
}

func feedContext(p *probe) {
	ctx, cancel := context.WithCancel(p.ctx)
	cancel()
	if f, err := able[feed.Source](p.a).Follow(ctx); !errors.Is(err, context.Canceled) {
		if err == nil {
			_ = f.Close()
		}
		p.fail("Follow, whose context has ended, returns %v, want the context's error", err)
	}
	e := p.follow(p.a)
	defer e.close()
	if _, err := e.Changes(ctx); !errors.Is(err, context.Canceled) {
		p.fail("Changes, whose context has ended, returns %v, want the context's error", err)
	}
	for i := range 30 {
		in, done := context.WithTimeout(p.ctx, time.Duration(i*i)*time.Microsecond)
		began := time.Now()
		_, err := e.Changes(in)
		done()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			p.fail("Changes, whose context ends on the way, returns %v, want an error that wraps the context's", err)
		}
		if took := time.Since(began); took > Patience {
			p.fail("Changes returns %v after its context has ended", took)
		}
	}
}

func feedCut(p *probe) {
	e := p.follow(p.a)
	defer func() { e.close() }()
	for i := range 40 {
		r := p.record()
		p.save(p.b, r, core.NoVersion)
		next := p.next(r)
		p.save(p.b, next, r.Version)
		in, done := context.WithTimeout(p.ctx, time.Duration(i*i)*time.Microsecond)
		first, err := e.Changes(in)
		done()
		if err != nil {
			first = feed.Changes{}
		}
		gap := e.hear()
		if e.add(first); first.Gap == nil && gap == nil {
			e.wants(next, "Save, before a question that was cut off,", r.Version)
			continue
		}
		e.close()
		e = p.follow(p.a)
	}
}
