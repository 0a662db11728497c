package redis

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	filledSessions = 200_000 // stored before anything is measured
	filledSealed   = 300     // bytes
	filledPart     = 10_000  // made at once
	filledCalls    = 1000    // of a verb in each round
	filledRounds   = 7

	setPrefix = "session:{3f}:" // names as long as those of a store
	scsPrefix = "scs:session:01234567890"
)

// filled is a private server with many users' sessions in layout 2, and as many
// as the version before kept them.
type filled struct {
	b      *testing.B
	p      *process
	s      *Store
	before layout1
	client rueidis.Client
	made   int
}

func newFilled(b *testing.B) *filled {
	p := start(b)
	x := &filled{b: b, p: p, s: open(b, p.url(), Options{Timeout: time.Minute}), before: layout1{shardsOf("version1:")}}
	x.client = x.s.server.client
	return x
}

// load has the server know all scripts.
func (x *filled) load() {
	for _, s := range []script{saveScript, layout1Save, deleteScript, layout1Delete} {
		x.send([]rueidis.Completed{x.client.B().ScriptLoad().Script(s.text).Build()})
	}
}

// make returns new records; every user has two sessions, and one of eight is
// nobody's.
func (x *filled) make(n int) []core.Record {
	all := make([]core.Record, n)
	for i := range all {
		x.made++
		all[i] = newRecord()
		all[i].Tenant, all[i].User, all[i].Sealed = "", fmt.Sprintf("user-%06d", x.made/2%1_000_000), make([]byte, filledSealed)
		if x.made%8 == 0 {
			all[i].User = ""
		}
	}
	return all
}

// way is one way to keep a session.
type way func([]core.Record) []rueidis.Completed

// layout2 inserts sessions, so many with one script.
func (x *filled) layout2(batch int) way {
	return func(all []core.Record) (commands []rueidis.Completed) {
		for part := range slices.Chunk(all, batch) {
			p := parcel{job: job{script: &saveScript}}
			for i := range part {
				p.add(x.s.server, &part[i], core.NoVersion)
			}
			p.stamp()
			commands = append(commands, x.s.server.command(&p.job, false))
		}
		return commands
	}
}

func (x *filled) layout1(batch int) way {
	return func(all []core.Record) (commands []rueidis.Completed) {
		for part := range slices.Chunk(all, batch) {
			var j job
			for i := range part {
				x.before.save(&j, &part[i], core.NoVersion)
			}
			commands = append(commands, x.s.server.command(&j, false))
		}
		return commands
	}
}

// plain is one SET with a TTL: all that goredisstore does for a commit of scs.
func (x *filled) plain(prefix string) way {
	return func(all []core.Record) (commands []rueidis.Completed) {
		for i := range all {
			key, value := prefix+hex.EncodeToString(all[i].ID[:]), encode(&all[i], expiry(all[i].ExpiresAt, core.Hour))
			commands = append(commands, x.client.B().Set().Key(key).Value(value).Px(time.Hour).Build())
		}
		return commands
	}
}

// send sends commands in pipelines and fails at the first error.
func (x *filled) send(commands []rueidis.Completed) {
	const pipeline = 200
	for ; len(commands) > 0; commands = commands[min(pipeline, len(commands)):] {
		for _, r := range x.client.DoMulti(background, commands[:min(pipeline, len(commands))]...) {
			if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
				require.NoError(x.b, err)
			}
		}
	}
}

// medians of the server's time for one of the commands that each of several ways
// makes, in turn.
func (x *filled) medians(ways int, commands func(n, round int) (commands []rueidis.Completed, stats []string)) []time.Duration {
	times := make([][]time.Duration, ways)
	for round := range filledRounds {
		for n := range ways {
			all, stats := commands(n, round)
			times[n] = append(times[n], x.busy(func() { x.send(all) }, stats...)/filledCalls)
		}
	}
	medians := make([]time.Duration, ways)
	for n := range times {
		slices.Sort(times[n])
		medians[n] = times[n][filledRounds/2]
	}
	return medians
}

// used is the memory of the server.
func (x *filled) used() int {
	_, rest, _ := strings.Cut(x.p.do(x.b, "INFO", "memory"), "used_memory:")
	text, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.Atoi(text)
	require.NoError(x.b, err)
	return n
}

// busy returns the server's time in the named commands while do runs.
func (x *filled) busy(do func(), names ...string) (spent time.Duration) {
	x.p.do(x.b, "CONFIG", "RESETSTAT")
	do()
	info := x.p.do(x.b, "INFO", "commandstats")
	for _, name := range names {
		_, rest, _ := strings.Cut(info, "cmdstat_"+name+":")
		_, rest, _ = strings.Cut(rest, "usec=")
		text, _, _ := strings.Cut(rest, ",")
		n, _ := strconv.Atoi(text)
		spent += time.Duration(n) * time.Microsecond
	}
	return spent
}

// fill stores sessions, and returns some of all ages and the bytes that one takes.
func (x *filled) fill(w way) (some []core.Record, bytes float64) {
	before := x.used()
	for range filledSessions / filledPart {
		all := x.make(filledPart)
		x.send(w(all))
		some = append(some, all[:filledRounds*filledCalls*filledPart/filledSessions]...)
	}
	rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some, float64(x.used()-before) / filledSessions
}

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
					p.stamp()
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
	} {
		times := x.medians(2, v.do)
		x.b.Logf("%s: %v; layout 1 %v", v.name, times[0], times[1])
		ratio.Print("redis-filled-"+v.name, float64(times[0])/float64(times[1]), 1.1, false)
	}
}

// New sessions that come in batches, as an import brings them, against the same
// rows in pipelines of SET and ZADD.
func BenchmarkRatioRedisImport(b *testing.B) {
	if b.N > 1 {
		return
	}
	x := newFilled(b)
	x.load()
	x.fill(x.layout2(scriptSaves))
	const rows, lot = 20_000, 1000
	plain := x.plain("raw:")
	var mine, theirs []core.Record
	next := func() { mine, theirs = x.make(rows), x.make(rows) }
	next()
	times := ratio.Interleave(filledRounds, func() {
		for part := range slices.Chunk(mine, lot) {
			saves := make([]hosts.Saving, len(part))
			for i, r := range part {
				saves[i].Record = r
			}
			for _, err := range x.s.SaveMany(background, saves) {
				require.NoError(b, err)
			}
		}
	}, func() {
		for part := range slices.Chunk(theirs, lot) {
			commands := plain(part)
			for _, r := range part {
				e := entryOf(&r)
				commands = append(commands, x.client.B().Zadd().Key(fmt.Sprintf("raw:%02x:%d", r.ID[0], e.bucket)).ScoreMember().ScoreMember(0, e.text()).Build())
			}
			for _, r := range x.client.DoMulti(background, commands...) {
				require.NoError(b, r.Error())
			}
		}
		next()
	})
	b.Logf("an insert: %v; SET and ZADD in pipelines %v", times[0]/rows, times[1]/rows)
	ratio.Print("redis-import", float64(times[1])/float64(times[0]), 0.5, true)
}
