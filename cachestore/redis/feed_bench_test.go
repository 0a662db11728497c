package redis

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// BenchmarkRatioFeed compares saves by 64 callers while caches follow them with
// those that nobody follows, on one server.
func BenchmarkRatioFeed(b *testing.B) {
	u := servers.Redis(b)
	for b.Loop() {
		quiet, followed := newFeedSaver(b, u), newFeedSaver(b, u)
		const followers = 1
		var pollers []*feed.Poller
		for range followers {
			p := feed.NewPoller(followed.s, feed.Options{Caching: true})
			p.Keep()
			eventually(b, "it follows", p.Fresh)
			pollers = append(pollers, p)
		}
		times := ratio.Interleave(31, quiet.round, followed.round)
		var changes, gaps uint64
		for _, p := range pollers {
			p.Close()
			changes, gaps = changes+p.Stats().Changes, gaps+p.Stats().Gaps
		}
		require.Positive(b, changes+gaps)
		ratio.Print("redis-saves-with-feed-of-without", float64(times[0])/float64(times[1]), 0.8, true)
		b.ReportMetric(feedSaves/times[1].Seconds(), "saves/s")
		b.ReportMetric(float64(changes), "changes")
		b.ReportMetric(float64(gaps), "gaps")
	}
}

const (
	feedCallers = 64
	feedSaves   = 128 * feedCallers // of one round
)

// feedSaver saves the same sessions round after round.
type feedSaver struct {
	b   *testing.B
	s   *Store
	all []core.Record
}

func newFeedSaver(b *testing.B, u string) *feedSaver {
	x := &feedSaver{b: b, s: open(b, u, Options{Prefix: newPrefix()})}
	b.Cleanup(func() { wipe(b, x.s) })
	var saves []hosts.Saving
	for range feedSaves {
		r := newRecord()
		r.Sealed = make([]byte, filledSealed)
		x.all = append(x.all, r)
		saves = append(saves, hosts.Saving{Record: r})
	}
	for _, err := range x.s.SaveMany(background, saves) {
		require.NoError(b, err)
	}
	return x
}

func (x *feedSaver) round() {
	var all sync.WaitGroup
	for c := range feedCallers {
		all.Go(func() {
			for n := c; n < feedSaves; n += feedCallers {
				r := next(x.all[n])
				require.NoError(x.b, x.s.Save(background, r, x.all[n].Version))
				x.all[n] = r
			}
		})
	}
	all.Wait()
}
