package redis

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// A hint names the shards that may have sessions of an owner, so that the search of a
// login (hosts.IsLoginSearch) need not walk all of them. Losing one is harmless: the next
// search walks, and notes what it has found. So is a shard too many. A complete hint that
// lacks the shard of a session would be wrong. It does not come about:
//
//   - A walk writes its name into the hint before it reads the first shard.
//   - A session is announced in the script that saves it, in a cluster after that, before
//     Save returns. An announcement to no hint does nothing.
//   - If it came before the name, the session was saved before that, and the walk finds
//     it. If it came after the name, it is behind that in the list, and note.lua keeps it.
//   - Whatever deletes the list takes the name with it, and the walk notes nothing.
const (
	hintName   = "shards:"           // behind the prefix
	hintLife   = 30 * 24 * time.Hour // since its walk, whatever was announced
	walkLife   = time.Minute         // of what a walk has begun; a slower one notes nothing
	mostSince  = 32                  // announced since the walk; with more the next search walks, and drops shards without sessions
	hintLength = 512                 // elements; with more it is deleted, in the scripts too
)

// errAnnounce is the answer to a save that was done, and is to be announced.
var errAnnounce = errors.New("redis: the shard of a saved session is not announced yet")

// hintKey is on the node of a shard, so that it belongs to a part.
func (s *server) hintKey(o owner) string {
	b := make([]byte, 0, len(s.o.Prefix)+len(hintName)+len("{5a}:")+2*ownerSize)
	b = append(append(append(b, s.o.Prefix...), hintName...), '{')
	b = append(hex.AppendEncode(b, o[:1]), "}:"...)
	return rueidis.BinaryString(hex.AppendEncode(b, o[:]))
}

func shardName(n int) string { return fmt.Sprintf("%02x", n) }

// announcer gathers the announcements to the hints on one node of a cluster, as the part
// gathers saves. So a node that hangs holds up the logins of its users only.
type announcer struct{ *part }

// Save implements hosts.Store: it announces a session that was saved.
func (a announcer) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return a.SaveMany(ctx, []hosts.Saving{{Record: r, Prev: prev}})[0]
}

// SaveMany implements hosts.Batcher.
func (a announcer) SaveMany(ctx context.Context, saved []hosts.Saving) (errs []error) {
	err := a.gate.inTurn(ctx, func(t *turn) error {
		errs = a.announce(t, saved)
		return nil
	})
	if err != nil {
		return slices.Repeat([]error{err}, len(saved))
	}
	return errs
}

// announce adds the shards of saved sessions to the hints of their owners. A hint that
// cannot be added to is deleted.
func (s *server) announce(t *turn, saved []hosts.Saving) []error {
	errs := make([]error, len(saved))
	key := func(i int) string { return s.hintKey(ownerOf(saved[i].Record.Tenant, saved[i].Record.User)) }
	results := t.read(func() []rueidis.RedisResult {
		commands := make([]rueidis.Completed, len(saved))
		for i := range saved {
			commands[i] = s.client.B().Rpushx().Key(key(i)).Element(shardName(int(saved[i].Record.ID[0]))).Build()
		}
		return s.client.DoMulti(t, commands...)
	})
	for i, r := range results {
		length, err := r.AsInt64()
		if _, refusal := rueidis.IsRedisErr(err); refusal || length > hintLength {
			err = t.read(func() []rueidis.RedisResult {
				return []rueidis.RedisResult{s.client.Do(t, s.client.B().Del().Key(key(i)).Build())}
			})[0].Error()
		}
		if err != nil {
			errs[i] = t.fail("save", err)
		}
	}
	return errs
}

// announced announces a saved session if err says that it is to be. Where that fails the
// session is saved all the same: a login must not depend on a second node. Until the hint
// is made anew, the searches of logins may lack it.
func (s *server) announced(ctx context.Context, r core.Record, err error) error {
	if !errors.Is(err, errAnnounce) {
		return err
	}
	p := s.parts[s.partOf[ownerOf(r.Tenant, r.User)[0]]]
	_ = p.herald.Save(ctx, r, core.NoVersion)
	return nil
}

// announceAll is announced for many, in one go.
func (s *server) announceAll(ctx context.Context, saves []hosts.Saving, errs []error) {
	var saved []hosts.Saving
	for i, err := range errs {
		if errors.Is(err, errAnnounce) {
			saved, errs[i] = append(saved, saves[i]), nil
		}
	}
	if saved != nil {
		_ = announcer{s.whole}.SaveMany(ctx, saved)
	}
}

// recall asks for the hint, or begins a walk. A server that refuses that is walked over.
func (f *finder) recall(ctx context.Context) error {
	if f.after == (core.ID{}) {
		f.walk = ">" + strconv.FormatUint(rand.Uint64(), 36)
	}
	j := job{&hintScript, []string{f.hintKey(f.owner)}, []string{f.walk, milliseconds(walkLife), strconv.Itoa(mostSince)}}
	return f.inTurn(ctx, func(t *turn) error {
		names, err := t.read(func() []rueidis.RedisResult { return f.run(t, []job{j}) })[0].AsStrSlice()
		if rueidis.IsRedisNil(err) {
			return nil
		}
		if _, refusal := rueidis.IsRedisErr(err); refusal {
			f.walk = ""
			return nil
		}
		if err != nil {
			return t.fail("find", err)
		}
		shards := make([]int, 0, len(names))
		for _, name := range names {
			n, err := strconv.ParseUint(name, 16, 8)
			if err != nil {
				return nil
			}
			shards = append(shards, int(n))
		}
		slices.Sort(shards)
		f.walk, f.hinted, f.hint = "", true, slices.Compact(shards)
		return nil
	})
}

// note makes the hint of a walk that has found all. What fails here is left to the next.
func (f *finder) note(ctx context.Context) {
	j := job{&noteScript, []string{f.hintKey(f.owner)}, []string{f.walk, milliseconds(hintLife)}}
	for n, met := range f.met {
		if met {
			j.args = append(j.args, shardName(n))
		}
	}
	_ = f.inTurn(ctx, func(t *turn) error {
		f.run(t, []job{j})
		return nil
	})
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
