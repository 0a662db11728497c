package redis

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// What a session costs a server that has many: its time for each verb, and its
// memory, beside that of layout 1 and of a bare SET.
func BenchmarkRatioFilled(b *testing.B) {
	if b.N > 1 {
		return // a ratio is measured once, in rounds of its own
	}
	x := newFilled(b)
	x.load()
	_, set := x.fill(x.plain(setPrefix))
	x.p.do(b, "FLUSHALL", "SYNC")
	_, scs := x.fill(x.plain(scsPrefix))
	x.p.do(b, "FLUSHALL", "SYNC")
	_, was := x.fill(x.layout1(64))
	x.p.do(b, "FLUSHALL", "SYNC")
	mine, is := x.fill(x.layout2(64))
	old, _ := x.fill(x.layout1(64))
	b.Logf("bytes of a session: %.0f; layout 1 %.0f, a SET %.0f, a SET of scs %.0f", is, was, set, scs)
	ratio.Print("redis-filled-bytes", is, 600, false)
	for _, batch := range []int{1, 64} {
		x.inserts(batch)
	}
	x.verbs(mine, old)
}

// inserts compares the time that the server takes for a new session.
func (x *filled) inserts(batch int) {
	ways := []way{x.layout2(batch), x.layout1(batch), x.plain(setPrefix), x.plain(scsPrefix)}
	stats := [][]string{{"evalsha"}, {"evalsha"}, {"set"}, {"set"}}
	times := x.medians(len(ways), func(n, _ int) ([]rueidis.Completed, []string) {
		return ways[n](x.make(filledCalls)), stats[n]
	})
	x.b.Logf("an insert, %d with a script: %v; layout 1 %v, a SET %v, a SET of scs %v", batch, times[0], times[1], times[2], times[3])
	ratio.Print(fmt.Sprint("redis-filled-insert-", batch), float64(times[0])/float64(times[1]), 0.333, false)
}

// verbs compares it for what is done with sessions that are there.
func (x *filled) verbs(mine, old []core.Record) {
	change := func(longer core.Time) func(n, round int) ([]rueidis.Completed, []string) {
		return func(n, round int) (commands []rueidis.Completed, stats []string) {
			all := [][]core.Record{mine, old}[n]
			for i := range filledCalls {
				r := &all[i]
				was := r.Version
				r.Version, r.ExpiresAt = was+1, r.ExpiresAt+longer
				p := parcel{job: job{script: &saveScript}}
				if n == 0 {
					p.add(x.s.server, r, was)
					p.stamp(false)
				} else {
					x.before.save(&p.job, r, was)
				}
				commands = append(commands, x.s.server.command(&p.job, false))
			}
			return commands, []string{"evalsha"}
		}
	}
	for _, v := range []struct {
		name string
		do   func(n, round int) ([]rueidis.Completed, []string)
	}{
		{"replace", change(0)},
		{"touch", change(core.Second)},
		{"load", func(n, _ int) (commands []rueidis.Completed, stats []string) {
			shards := []*[shardCount]shard{x.s.server.shards, x.before.shards}[n]
			for _, r := range [][]core.Record{mine, old}[n][:filledCalls] {
				commands = append(commands, x.client.B().Get().Key(shards[r.ID[0]].record(r.ID)).Build())
			}
			return commands, []string{"get"}
		}},
		{"delete", func(n, round int) (commands []rueidis.Completed, stats []string) {
			for _, r := range [][]core.Record{mine, old}[n][round*filledCalls:][:filledCalls] {
				j := x.before.delete(r.ID)
				if n == 0 {
					j = x.s.server.deletion(r.ID)
				}
				commands = append(commands, x.s.server.command(&j, false))
			}
			return commands, []string{"evalsha"}
		}},
		{"find", func(n, _ int) (commands []rueidis.Completed, stats []string) {
			for _, r := range [][]core.Record{mine, old}[n][:filledCalls/filledFinds] {
				if n == 1 {
					commands = append(commands, x.before.find(x.client, ownerOf(r.Tenant, r.User))...)
					continue
				}
				f := finder{part: x.s.server.whole, owner: ownerOf(r.Tenant, r.User), exact: true}
				for i := range x.s.server.shards {
					commands = append(commands, x.client.B().Get().Key(x.s.server.shards[i].index).Build(),
						f.command(place{i, f.owner.bucket(core.ID{})}, fewEntries))
				}
			}
			return commands, []string{"get", "zrangebylex"}
		}},
	} {
		times := x.medians(2, v.do)
		if v.name == "find" { // one for so many calls
			times[0], times[1] = filledFinds*times[0], filledFinds*times[1]
		}
		x.b.Logf("%s: %v; layout 1 %v", v.name, times[0], times[1])
		if v.name != "load" { // the same command: what its ratio is off 1 is noise
			ratio.Print("redis-filled-"+v.name, float64(times[0])/float64(times[1]), 1.25, false)
		}
	}
}

// New sessions that come in batches, and as sessionctl imports them, 32 at once and
// each looked up first, against the same rows in pipelines of SET and ZADD.
func BenchmarkRatioRedisImport(b *testing.B) {
	if b.N > 1 {
		return // a ratio is measured once, in rounds of its own
	}
	const rows, lot, workers = 20_000, 1000, 32
	x := newFilled(b)
	x.load()
	x.fill(x.layout2(scriptSaves))
	plain := x.plain("raw:")
	times := ratio.Interleave(filledRounds, func() {
		for part := range slices.Chunk(x.make(rows), lot) {
			saves := make([]hosts.Saving, len(part))
			for i, r := range part {
				saves[i].Record = r
			}
			for _, err := range x.s.SaveMany(background, saves) {
				require.NoError(b, err)
			}
		}
	}, func() {
		var all sync.WaitGroup
		for part := range slices.Chunk(x.make(rows), rows/workers) {
			all.Go(func() {
				for _, r := range part {
					_, err := x.s.Load(background, r.ID)
					assert.ErrorIs(b, err, core.ErrNotFound)
					assert.NoError(b, x.s.Save(background, r, core.NoVersion))
				}
			})
		}
		all.Wait()
	}, func() {
		for part := range slices.Chunk(x.make(rows), lot) {
			commands := plain(part)
			for _, r := range part {
				e := entryOf(&r)
				commands = append(commands, x.client.B().Zadd().Key(fmt.Sprintf("raw:%02x:%d", r.ID[0], e.bucket)).ScoreMember().ScoreMember(0, e.text()).Build())
			}
			for _, r := range x.client.DoMulti(background, commands...) {
				require.NoError(b, r.Error())
			}
		}
	})
	b.Logf("an insert in batches: %v; by %d at once %v; SET and ZADD in pipelines %v", times[0]/rows, workers, times[1]/rows, times[2]/rows)
	ratio.Print("redis-import", float64(times[2])/float64(times[0]), 0.5, true)
	ratio.Print("redis-import-32", float64(times[2])/float64(times[1]), 0.5, true)
}
