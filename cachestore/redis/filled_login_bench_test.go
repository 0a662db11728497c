package redis

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// The search of a login by a hint, against the walk over all shards, for users with one
// or two sessions among many; and the memory that a hint takes.
func BenchmarkRatioRedisLoginSearch(b *testing.B) {
	if b.N > 1 {
		return // a ratio is measured once, in rounds of its own
	}
	const users, callers = 1000, 16
	x := newFilled(b)
	x.load()
	some, _ := x.fill(x.layout2(scriptSaves))
	var asked []hosts.Query
	known := map[string]bool{"": true}
	for _, r := range some {
		if !known[r.User] && len(asked) < users {
			known[r.User] = true
			asked = append(asked, hosts.Query{User: r.User})
		}
	}
	search := func(mark bool) {
		ctx := background
		if mark {
			ctx = hosts.LoginSearchContext(ctx)
		}
		var all sync.WaitGroup
		for n := range callers {
			all.Go(func() {
				for i := n; i < len(asked); i += callers {
					found, err := x.s.Find(ctx, asked[i], core.ID{}, 200)
					assert.NoError(b, err)
					assert.NotEmpty(b, found)
				}
			})
		}
		all.Wait()
	}
	search(true)
	b.Logf("bytes of a hint: %s", x.p.do(b, "MEMORY", "USAGE", x.s.server.hintKey(ownerOf("", asked[0].User))))
	times := ratio.Interleave(filledRounds, func() { search(false) }, func() { search(true) })
	a := func(n int) float64 { return float64(len(asked)) / times[n].Seconds() }
	b.Logf("searches a second, %d at once: a walk %.0f, by a hint %.0f", callers, a(0), a(1))
	ratio.Print("redis-login-search", float64(times[0])/float64(times[1]), 5, true)
}
