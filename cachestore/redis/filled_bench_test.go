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

	"github.com/rockstar-web/sessions/core"
)

const (
	filledSessions = 200_000 // stored before anything is measured
	filledSealed   = 300     // bytes
	filledPart     = 10_000  // made at once
	filledCalls    = 1000    // of a verb in each round
	filledFinds    = 50      // fewer searches than other calls
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
			p.stamp(false)
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
