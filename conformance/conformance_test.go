package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/rockstar-web/sessions/internal/soak"
)

func TestRightStore(t *testing.T) {
	TestStore(t, func(*testing.T) hosts.Store { return newMapStore() })
}

// plain hides the optional interfaces.
type plain struct{ hosts.Store }

// briefBut is [Brief] outside make soak, with some of the cases that it leaves out.
func briefBut(keep ...string) (all []Option) {
	if soak.On() {
		return nil
	}
	for _, name := range longCases {
		if !slices.Contains(keep, name) {
			all = append(all, Skip(name, soak.Short))
		}
	}
	return all
}

func TestPlainStore(t *testing.T) {
	TestStore(t, func(*testing.T) hosts.Store { return plain{newMapStore()} }, soak.Unless(t, Brief())...)
}

func TestTwoHandles(t *testing.T) {
	TestShared(t, func(*testing.T) (a, b hosts.Store) {
		m := newMapStore()
		return m, &struct{ *mapStore }{m}
	}, soak.Unless(t, Brief())...)
}

func TestStoreBehindACoalescer(t *testing.T) {
	TestStore(t, func(t *testing.T) hosts.Store {
		m := newMapStore()
		c, err := coalesce.New(m, coalesce.Options{Direct: -1})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		return c
	}, soak.Unless(t, Brief())...)
}

var allFlaws = slices.Concat(saveFlaws, loadFlaws, endFlaws, sweepFlaws, findFlaws, batchFlaws, forgetFlaws)

func caseNamed(t *testing.T, name string) testCase {
	for _, g := range slices.Concat(groups, []group{outageGroup}) {
		for _, c := range g.cases {
			if c.name == name {
				return c
			}
		}
	}
	require.Fail(t, "no case of this name", name)
	return testCase{}
}

func TestFlawsAreSeen(t *testing.T) {
	for _, flaw := range allFlaws {
		t.Run(flaw.name, func(t *testing.T) {
			for name := range strings.FieldsSeq(flaw.breaks) {
				c := caseNamed(t, name)
				f := newFlawed()
				flaw.make(f)
				var s hosts.Store = f
				if name == "forget-late" {
					s = plain{f}
				}
				require.NotEmpty(t, c.run(t.Context(), s, s), "case %s does not see a store that %s", name, flaw.name)
			}
		})
	}
}

// Whatever a store puts between a tenant and a user, names may hold it.
func TestJoinedNamesAreSeen(t *testing.T) {
	c := caseNamed(t, "find-names")
	for _, sep := range separators {
		f := newFlawed()
		f.filter(func(q hosts.Query, r core.Record) bool {
			return q.Matches(&r) || !q.AnyTenant && !q.AnyUser && q.Tenant+sep+q.User == r.Tenant+sep+r.User
		})
		require.NotEmpty(t, c.run(t.Context(), f, f), "joined with %q", sep)
	}
}

// A case that no flaw breaks could be one that cannot fail.
func TestEveryCaseSeesAFlaw(t *testing.T) {
	seen := make(map[string]bool)
	for _, flaw := range allFlaws {
		for name := range strings.FieldsSeq(flaw.breaks) {
			seen[name] = true
		}
	}
	for _, flaw := range distantFlaws {
		for name := range strings.FieldsSeq(flaw.breaks) {
			seen[name] = true
		}
	}
	for _, flaw := range slices.Concat(feedFlaws, markFlaws) {
		for name := range strings.FieldsSeq(flaw.breaks) {
			seen[name] = true
		}
	}
	for _, g := range groups {
		for _, c := range g.cases {
			require.True(t, seen[c.name], "no flaw breaks %s", c.name)
			require.True(t, strings.HasSuffix(c.promise, "."), "the promise of %s is no sentence", c.name)
		}
	}
}

func names(broken []Broken) []string {
	var all []string
	for _, b := range broken {
		all = append(all, b.Name)
	}
	return all
}

func TestCheckReportsPromises(t *testing.T) {
	closed := 0
	broken := Check(t.Context(), func() (hosts.Store, func(), error) {
		f := newFlawed()
		f.delete = func(context.Context, core.ID) error { return core.ErrNotFound }
		return plain{f}, func() { closed++ }, nil
	}, briefBut("ended-stays-ended", "one-winner")...)
	require.Subset(t, names(broken), []string{"delete", "delete-missing", "ended-stays-ended", "end-against-loads"})
	require.NotContains(t, names(broken), "one-winner")
	require.Contains(t, broken[0].String(), "broken promise: "+broken[0].Promise)
	require.Positive(t, closed)

	require.Empty(t, Check(t.Context(), func() (hosts.Store, func(), error) { return newMapStore(), func() {}, nil }, soak.Unless(t, Brief())...))
}

func TestCheckReportsOpen(t *testing.T) {
	broken := Check(t.Context(), func() (hosts.Store, func(), error) { return nil, nil, errors.New("no such host") })
	require.Equal(t, []string{"open"}, names(broken))
	require.Contains(t, broken[0].Seen, "no such host")
}

func TestCheckEachTellsEveryCase(t *testing.T) {
	var all, skipped []string
	CheckEach(t.Context(), func() (a, b hosts.Store, done func(), err error) {
		s := plain{newMapStore()}
		return s, s, func() {}, nil
	}, func(r CaseResult) {
		require.Empty(t, r.Seen, r.Name)
		all = append(all, r.Name)
		if r.Skipped {
			skipped = append(skipped, r.Name)
		}
	}, soak.Unless(t, Brief())...)
	cases := 0
	for _, g := range groups {
		for _, c := range g.cases {
			require.Equal(t, c.name, all[cases], "in the order of the cases")
			cases++
		}
	}
	require.Equal(t, all[cases:], []string{closeCase.name})
	require.Contains(t, skipped, "sweep-empty")
	require.NotContains(t, skipped, "load-missing")
}

func TestCheckStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Empty(t, Check(ctx, func() (hosts.Store, func(), error) { return newMapStore(), func() {}, nil }))
}

func TestStoreThatIsNotFresh(t *testing.T) {
	used := newMapStore()
	open := func() (hosts.Store, func(), error) { return plain{used}, func() {}, nil }
	Check(t.Context(), open, Brief())
	require.Contains(t, names(Check(t.Context(), open, Brief())), "fresh")
}

// cached is a handle that remembers what it has loaded: right alone, wrong as
// one of two.
type cached struct {
	*flawed
	seen map[core.ID]core.Record
}

func (c *cached) Load(ctx context.Context, id core.ID) (core.Record, error) {
	c.mu.Lock()
	r, ok := c.seen[id]
	c.mu.Unlock()
	if ok {
		return r, nil
	}
	r, err := c.mapStore.Load(ctx, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.seen[id] = r
	}
	return r, err
}

func TestHandleThatDoesNotSeeTheOther(t *testing.T) {
	broken := CheckShared(t.Context(), func() (a, b hosts.Store, done func(), err error) {
		f := newFlawed()
		return f, plain{&cached{f, make(map[core.ID]core.Record)}}, func() {}, nil
	}, briefBut("load-acknowledged")...)
	require.Subset(t, names(broken), []string{"load-elsewhere", "load-acknowledged"})
}

func TestPanicIsABrokenPromise(t *testing.T) {
	for _, name := range []string{"load-missing", "one-winner"} {
		f := newFlawed()
		f.load = func(context.Context, core.ID) (core.Record, error) { panic("index out of range") }
		c := caseNamed(t, name)
		require.Contains(t, c.run(t.Context(), f, f), "the store panics: index out of range")
	}
}

// In the bubble the two minutes pass at once.
func TestHangIsABrokenPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlawed()
		release := make(chan struct{})
		f.load = func(context.Context, core.ID) (core.Record, error) { <-release; return core.Record{}, core.ErrNotFound }
		c := caseNamed(t, "load-missing")
		require.Contains(t, c.run(t.Context(), f, f), "has not returned")
		close(release)
	})
}
