package conformance

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// fedFlaw is a mistake in a feed or a mark, and the cases that must see it.
type fedFlaw struct {
	name, breaks string
	make         func(*fed)
}

var feedFlaws = []fedFlaw{
	{"enters a change after it has acknowledged it", "feed-saves feed-deletes feed-batches feed-under-saves", func(f *fed) {
		var mu sync.Mutex
		var late []feed.Change
		f.note = func(c feed.Change) {
			mu.Lock()
			defer mu.Unlock()
			late = append(late, c)
		}
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := f.answer(ctx, behind)
			mu.Lock()
			defer mu.Unlock()
			for _, one := range late {
				f.log.Note(one)
			}
			late = nil
			return c, err
		}
	}},
	{"enters saves alone", "feed-deletes feed-batches feed-from-now feed-slept", func(f *fed) {
		f.note = func(c feed.Change) { f.log.Saved(c.ID, c.Version, c.Prev) }
	}},
	{"enters no batches", "feed-batches", func(f *fed) {
		f.saveMany, f.endMany = f.mapStore.SaveMany, f.mapStore.DeleteMany
	}},
	{"takes a save over a touch for a touch", "feed-touches", func(f *fed) {
		touched := map[core.Version]bool{}
		save, note := f.save, f.note
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if hosts.IsTouch(ctx) {
				touched[r.Version] = true
			}
			return save(ctx, r, prev)
		}
		f.note = func(c feed.Change) {
			if !touched[c.Prev] {
				note(c)
			}
		}
	}},
	{"begins at the first question", "feed-from-now feed-two", func(f *fed) {
		f.follow = func(context.Context) (feed.Follower, error) { return &lazy{f: f}, nil }
	}},
	{"reports everything for ever", "feed-quiet", func(f *fed) {
		var all []feed.Change
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := f.answer(ctx, behind)
			all = append(all, c.Entries...)
			c.Entries = slices.Clone(all)
			return c, err
		}
	}},
	{"has a gap when there is nothing new", "feed-quiet mark-in-answers", func(f *fed) {
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := f.answer(ctx, behind)
			if len(c.Entries) == 0 {
				c.Gap = context.Canceled
			}
			return c, err
		}
	}},
	{"forgets what came while it answered", "feed-under-saves", func(f *fed) {
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := f.answer(ctx, behind)
			runtime.Gosched()
			_, _ = behind.Changes(ctx)
			return c, err
		}
	}},
	{"reports before it stores", "feed-readable", func(f *fed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if prev != core.NoVersion {
				f.note(feed.Change{ID: r.ID, Version: r.Version, Prev: prev})
				yield()
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"ignores the context of a question", "feed-context", func(f *fed) {
		f.changes = func(_ context.Context, behind feed.Follower) (feed.Changes, error) {
			return f.answer(context.Background(), behind)
		}
	}},
	{"ignores the context of a follower", "feed-context", func(f *fed) {
		f.follow = func(context.Context) (feed.Follower, error) { return f.log.Follow(context.Background()) }
	}},
	{"loses what a question had taken that was cut off", "feed-cut", func(f *fed) {
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := f.answer(context.Background(), behind)
			yield()
			if ctx.Err() != nil {
				return feed.Changes{}, ctx.Err()
			}
			return c, err
		}
	}},
	{"keeps 500 entries and does not report that more are gone", "feed-slept", func(f *fed) {
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := f.answer(ctx, behind)
			c.Entries = c.Entries[max(len(c.Entries)-500, 0):]
			return c, err
		}
	}},
	{"has one place for all followers", "feed-two feed-close", func(f *fed) {
		var mu sync.Mutex
		var shared feed.Follower
		f.follow = func(ctx context.Context) (feed.Follower, error) {
			mu.Lock()
			defer mu.Unlock()
			if shared == nil {
				shared, _ = f.log.Follow(ctx)
			}
			return shared, nil
		}
	}},
	{"stops entering when a follower is closed", "feed-close", func(f *fed) {
		f.end = func(behind feed.Follower) error {
			f.note = func(feed.Change) {}
			return behind.Close()
		}
	}},
}

// yield lets others run, for about as long as an engine takes to answer.
func yield() {
	for began := time.Now(); time.Since(began) < 200*time.Microsecond; {
		runtime.Gosched()
	}
}

// lazy begins to follow when it is first asked.
type lazy struct {
	f      *fed
	behind feed.Follower
}

func (l *lazy) Changes(ctx context.Context) (feed.Changes, error) {
	if l.behind == nil {
		var err error
		if l.behind, err = l.f.log.Follow(ctx); err != nil {
			return feed.Changes{}, err
		}
	}
	return l.behind.Changes(ctx)
}

func (l *lazy) Close() error { return nil }

var markFlaws = []fedFlaw{
	{"begins with the mark", "mark-begins mark-context mark-in-answers", func(f *fed) { f.mark.Store(int64(feed.On)) }},
	{"is asked for its mark once", "mark-begins mark-moves mark-off", func(f *fed) {
		var first atomic.Int64
		first.Store(-1)
		f.state = func(ctx context.Context) (feed.State, error) {
			first.CompareAndSwap(-1, f.mark.Load())
			return feed.State(first.Load()), ctx.Err()
		}
	}},
	{"takes Stopping for Off", "mark-moves mark-off", func(f *fed) {
		f.set = func(ctx context.Context, to feed.State) error {
			if to == feed.Stopping {
				to = feed.Off
			}
			return f.rightSet(ctx, to)
		}
	}},
	{"ends sessions with the mark", "mark-moves", func(f *fed) {
		f.set = func(ctx context.Context, to feed.State) error {
			f.mu.Lock()
			clear(f.records)
			f.mu.Unlock()
			return f.rightSet(ctx, to)
		}
	}},
	{"enables what an operator has switched off", "mark-off", func(f *fed) {
		f.enable = func(ctx context.Context) error { return f.rightSet(ctx, feed.On) }
	}},
	{"has no word for what is switched off", "mark-off", func(f *fed) {
		f.enable = func(ctx context.Context) error {
			if f.rightEnable(ctx) != nil {
				return hosts.ErrRefused
			}
			return nil
		}
	}},
	{"says in answers that the mark is On while it stops", "mark-in-answers", func(f *fed) {
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			waits := feed.State(f.mark.Load()).Waits()
			c, err := behind.Changes(ctx)
			c.Caching = waits
			return c, err
		}
	}},
	{"reads the mark of an answer after its entries", "mark-end", func(f *fed) {
		f.changes = func(ctx context.Context, behind feed.Follower) (feed.Changes, error) {
			c, err := behind.Changes(ctx)
			yield()
			c.Caching = feed.State(f.mark.Load()) == feed.On
			return c, err
		}
	}},
	{"reads the mark before the delete", "mark-end", func(f *fed) {
		var before atomic.Int64
		end := f.delete
		f.delete = func(ctx context.Context, id core.ID) error {
			before.Store(f.mark.Load())
			yield()
			return end(ctx, id)
		}
		f.state = func(context.Context) (feed.State, error) { return feed.State(before.Load()), nil }
	}},
	{"remembers the mark for a moment", "mark-moves", func(f *fed) {
		var mu sync.Mutex
		var at time.Time
		var known feed.State
		f.state = func(ctx context.Context) (feed.State, error) {
			mu.Lock()
			defer mu.Unlock()
			if time.Since(at) > 10*time.Millisecond {
				at, known = time.Now(), feed.State(f.mark.Load())
			}
			return known, ctx.Err()
		}
		f.set = func(ctx context.Context, to feed.State) error {
			_, _ = f.state(ctx) // as logouts elsewhere do
			return f.rightSet(ctx, to)
		}
	}},
	{"ignores the contexts of the mark", "mark-context", func(f *fed) {
		f.enable = func(context.Context) error { return f.rightEnable(context.Background()) }
	}},
	{"sets the mark, then looks at its context", "mark-context", func(f *fed) {
		f.set = func(ctx context.Context, to feed.State) error {
			_ = f.rightSet(context.Background(), to)
			return ctx.Err()
		}
	}},
}

func TestRightFeed(t *testing.T) {
	TestShared(t, func(*testing.T) (a, b hosts.Store) {
		f := newFed()
		return f, &struct{ *fed }{f}
	}, briefBut("feed-under-saves", "feed-readable", "feed-slept", "mark-end")...)
}

func TestFeedFlawsAreSeen(t *testing.T) {
	for _, flaw := range slices.Concat(feedFlaws, markFlaws) {
		t.Run(flaw.name, func(t *testing.T) {
			for name := range strings.FieldsSeq(flaw.breaks) {
				c := caseNamed(t, name)
				f := newFed()
				flaw.make(f)
				require.NotEmpty(t, c.run(t.Context(), f, f), "case %s does not see a store that %s", name, flaw.name)
			}
		})
	}
}

// silent is a handle whose changes have no entries, and that has a mark of its own.
type silent struct {
	*mapStore
	*fed
}

func (s *silent) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return s.mapStore.Load(ctx, id)
}
func (s *silent) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return s.mapStore.Save(ctx, r, prev)
}
func (s *silent) Delete(ctx context.Context, id core.ID) error { return s.mapStore.Delete(ctx, id) }

// TestHandleThatIsSilent: cases spread over both handles.
func TestHandleThatIsSilent(t *testing.T) {
	broken := CheckShared(t.Context(), func() (a, b hosts.Store, done func(), err error) {
		f, other := newFed(), newFed()
		other.flawed = f.flawed
		return f, &silent{f.mapStore, other}, func() {}, nil
	}, Brief())
	require.Subset(t, names(broken), []string{"feed-saves", "feed-deletes", "feed-touches", "feed-from-now", "feed-two", "mark-moves", "mark-off", "mark-in-answers"})
}

// closedForm has a feed in another form than the one in which it was opened.
type closedForm struct{ *fed }

func (closedForm) CanFollow() error { return feed.ErrUnsupported }

// TestFeedIsOptional: a store without one, or not in this form, is not asked.
func TestFeedIsOptional(t *testing.T) {
	for _, s := range []hosts.Store{plain{newMapStore()}, closedForm{newFed()}} {
		CheckEach(t.Context(), func() (a, b hosts.Store, done func(), err error) { return s, s, func() {}, nil }, func(r CaseResult) {
			if strings.HasPrefix(r.Name, "feed-") || strings.HasPrefix(r.Name, "mark-") {
				require.True(t, r.Skipped, r.Name)
			}
		}, Brief())
	}
}
