package conformance

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// resultsOf runs the kit on stores that open returns.
func resultsOf(ctx context.Context, open func() (hosts.Store, func()), options ...Option) (all Results) {
	CheckEach(ctx, func() (a, b hosts.Store, done func(), err error) {
		s, done := open()
		return s, s, done, nil
	}, func(r CaseResult) { all = append(all, r) }, options...)
	return all
}

func (r Results) named(t *testing.T, name string) CaseResult {
	t.Helper()
	for _, one := range r {
		if one.Name == name {
			return one
		}
	}
	require.Fail(t, "no result of this name", name)
	return CaseResult{}
}

func TestReports(t *testing.T) {
	all := resultsOf(t.Context(), func() (hosts.Store, func()) {
		f := newFlawed()
		f.delete = func(context.Context, core.ID) error { return core.ErrNotFound }
		return plain{f}, func() {}
	}, Brief(), Skip("load-sealed", "the engine takes 1 MB | at most"))
	require.Equal(t, "the engine takes 1 MB | at most", all.named(t, "load-sealed").Reason)
	require.Contains(t, all.named(t, "sweep-empty").Reason, "hosts.Sweeper")
	require.Contains(t, all.named(t, "cut-save").Reason, "short")

	text := all.Text()
	require.Contains(t, text, "broken   delete\n         promise: Delete is unconditional")
	require.Contains(t, text, "skipped  load-sealed: the engine takes 1 MB | at most\n")
	require.Contains(t, text, all.Summary())
	require.Contains(t, all.Markdown(), "| `load-sealed` | skipped: the engine takes 1 MB \\| at most |")
	for line := range strings.Lines(all.Markdown()) {
		require.True(t, line == "\n" || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "Contract"), line)
	}

	raw, err := json.Marshal(all)
	require.NoError(t, err)
	var read struct {
		Contract int
		Cases    []struct{ Case, Result, Promise, Seen, Reason string }
	}
	require.NoError(t, json.Unmarshal(raw, &read))
	require.Equal(t, Contract, read.Contract)
	require.Len(t, read.Cases, len(all))
	require.Equal(t, "kept", read.Cases[0].Result)
}

func TestASkipOfNoCaseIsRefused(t *testing.T) {
	for _, o := range []Option{Skip("no-such-case", "why"), Skip("delete", "")} {
		all := resultsOf(t.Context(), func() (hosts.Store, func()) { return newMapStore(), func() {} }, o)
		require.Len(t, all, 1)
		require.NotEmpty(t, all[0].Seen)
	}
}

func TestLongCasesAreCases(t *testing.T) {
	for _, name := range longCases {
		caseNamed(t, name)
	}
}

// In the bubble the minutes pass at once.
func TestTwoCasesAtTheirLimitEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := resultsOf(t.Context(), func() (hosts.Store, func()) {
			f := newFlawed()
			f.save = func(ctx context.Context, _ core.Record, _ core.Version) error { <-ctx.Done(); return ctx.Err() }
			return f, func() {}
		})
		require.Len(t, all, 2)
		for _, r := range all {
			require.True(t, r.Limit)
			require.Contains(t, r.Seen, "limit of 2m0s (conformance.CaseLimit)")
		}
	})
}

// A store that is closed and leaves one who ticks on.
func TestWhatAStoreLeavesIsSeen(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	ticking := func() (hosts.Store, func()) {
		go func() { <-over }()
		return newMapStore(), func() {}
	}
	var few []Option
	for _, g := range groups {
		for _, c := range g.cases {
			if !strings.HasPrefix(c.name, "load-") {
				few = append(few, Skip(c.name, "not asked for"))
			}
		}
	}
	seen := resultsOf(t.Context(), ticking, few...).named(t, closeCase.name).Seen
	require.Contains(t, seen, "stores have left goroutines behind")
	require.Contains(t, seen, "report_test.go")

	stopped := func() (hosts.Store, func()) {
		stop := make(chan struct{})
		go func() { <-stop }()
		return newMapStore(), func() { close(stop) }
	}
	require.Empty(t, resultsOf(t.Context(), stopped, few...).named(t, closeCase.name).Seen)
}
