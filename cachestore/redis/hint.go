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
	hintName     = "shards:"           // behind the prefix
	hintLife     = 30 * 24 * time.Hour // since its walk, whatever was announced
	walkLife     = time.Minute         // of what a walk has begun; a slower one notes nothing
	mostSince    = 32                  // announced since the walk; with more the next search walks, and drops shards without sessions
	hintLength   = 512                 // elements; with more it is deleted, in the scripts too
	announceName = "note in which part of the index the user has a session"
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

// announce adds the shards of saved sessions to the hints of their owners, for a cluster.
// The errors are those of a save that may not have been done: the same save again
// announces again.
func (s *server) announce(t *turn, saved []*core.Record) []error {
	errs := make([]error, len(saved))
	results := t.read(func() []rueidis.RedisResult {
		commands := make([]rueidis.Completed, len(saved))
		for i, r := range saved {
			commands[i] = s.client.B().Rpushx().Key(s.hintKey(ownerOf(r.Tenant, r.User))).Element(shardName(int(r.ID[0]))).Build()
		}
		return s.client.DoMulti(t, commands...)
	})
	for i, r := range results {
		length, err := r.AsInt64()
		_, refusal := rueidis.IsRedisErr(err)
		if refusal || err == nil && length > hintLength {
			key := s.hintKey(ownerOf(saved[i].Tenant, saved[i].User))
			err = t.read(func() []rueidis.RedisResult {
				return []rueidis.RedisResult{s.client.Do(t, s.client.B().Del().Key(key).Build())}
			})[0].Error()
		}
		switch {
		case err == nil:
		case over(t.Context) != nil:
			errs[i] = t.fail(announceName, err)
		default: // whatever it is, the save was done
			errs[i] = fmt.Errorf("%w: %v", hosts.ErrUnavailable, t.fail(announceName, err))
		}
	}
	return errs
}

// announceOne waits for the node of the hint alone.
func (s *server) announceOne(ctx context.Context, r *core.Record) error {
	t, err := s.parts[s.partOf[ownerOf(r.Tenant, r.User)[0]]].gate.enter(ctx)
	if err != nil {
		return err
	}
	defer t.leave()
	return s.announce(t, []*core.Record{r})[0]
}

// announceAll announces what is to be, of saves that were answered with errs.
func (s *server) announceAll(ctx context.Context, saves []hosts.Saving, errs []error) {
	var saved []*core.Record
	var at []int
	for i, err := range errs {
		if errors.Is(err, errAnnounce) {
			saved, at = append(saved, &saves[i].Record), append(at, i)
		}
	}
	if saved == nil {
		return
	}
	var answers []error
	err := s.inTurn(ctx, func(t *turn) error {
		answers = s.announce(t, saved)
		return nil
	})
	for n, i := range at {
		if errs[i] = err; err == nil {
			errs[i] = answers[n]
		}
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
