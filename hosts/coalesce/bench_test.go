package coalesce_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// press carries out one command at a time, and each takes the same time however
// many calls it has, as that of a disk does.
type press struct {
	hosts.Store // deletes
	mu          sync.Mutex
	takes       time.Duration
}

func (p *press) command() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for began := time.Now(); time.Since(began) < p.takes; {
	}
}

func (p *press) Load(context.Context, core.ID) (core.Record, error) {
	p.command()
	return core.Record{}, nil
}

func (p *press) Save(context.Context, core.Record, core.Version) error {
	p.command()
	return nil
}

func (p *press) LoadMany(_ context.Context, ids []core.ID) []hosts.Loaded {
	p.command()
	return make([]hosts.Loaded, len(ids))
}

func (p *press) SaveMany(_ context.Context, saves []hosts.Saving) []error {
	p.command()
	return make([]error, len(saves))
}

// calls makes n calls of s by so many callers.
func calls(b *testing.B, s hosts.Store, callers, n int) {
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			r := record(i, 0)
			for range n / callers {
				if err := s.Save(context.Background(), r, core.NoVersion); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// How many times as many saves in the same time as without a Store.
func BenchmarkRatioCoalescer(b *testing.B) {
	if b.N > 1 {
		return
	}
	p := &press{takes: 100 * time.Microsecond}
	c, err := coalesce.New(p, coalesce.Options{})
	require.NoError(b, err)
	for _, m := range []struct {
		callers        int
		direct, behind int // calls of a round
		target         float64
	}{{1, 200, 200, 0.9}, {2, 200, 200, 0.9}, {8, 200, 800, 4}, {64, 256, 6400, 24}, {1024, 1024, 51_200, 40}} {
		took := ratio.Interleave(9,
			func() { calls(b, p, m.callers, m.direct) },
			func() { calls(b, c, m.callers, m.behind) })
		rate := func(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
		ratio.Print(fmt.Sprint("coalescer-callers-", m.callers), rate(m.behind, took[1])/rate(m.direct, took[0]), m.target, true)
	}
	require.NoError(b, c.Close())
}

// What leaving costs each of 8000 callers, to each of 500.
func BenchmarkRatioCoalescerLeaving(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, few, many = 9, 500, 8000
	var ofFew, ofMany []time.Duration
	for range rounds {
		ofFew = append(ofFew, leaveAll(b, few)/few)
		ofMany = append(ofMany, leaveAll(b, many)/many)
	}
	slices.Sort(ofFew)
	slices.Sort(ofMany)
	ratio.Print("coalescer-leaving", float64(ofMany[rounds/2])/float64(ofFew[rounds/2]), 4, false)
}

// leaveAll has so many callers wait behind one whose command is held, and
// measures how long it takes until all have left.
func leaveAll(b *testing.B, callers int) time.Duration {
	p := &press{}
	c, err := coalesce.New(p, coalesce.Options{Direct: -1})
	require.NoError(b, err)
	p.mu.Lock()
	ctx, cancel := context.WithCancel(context.Background())
	waits := &counted{Context: ctx, all: make(chan struct{}), of: int64(callers)}
	answers := make(chan error, callers)
	for i := range callers {
		go func() { answers <- c.Save(waits, record(i, 0), core.NoVersion) }()
	}
	<-waits.all
	began := time.Now()
	cancel()
	for range callers {
		require.ErrorIs(b, <-answers, context.Canceled)
	}
	took := time.Since(began)
	p.mu.Unlock()
	require.NoError(b, c.Close())
	return took
}

// counted tells when so many callers wait for its end.
type counted struct {
	context.Context
	waiting atomic.Int64
	of      int64
	all     chan struct{}
}

func (c *counted) Done() <-chan struct{} {
	if c.waiting.Add(1) == c.of {
		close(c.all)
	}
	return c.Context.Done()
}

// What a call costs beside the backend, alone and among many.
func BenchmarkCoalescer(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers-", callers), func(b *testing.B) {
			c, err := coalesce.New(&press{}, coalesce.Options{})
			require.NoError(b, err)
			b.ReportAllocs()
			calls(b, c, callers, b.N+callers)
			require.NoError(b, c.Close())
		})
	}
}
