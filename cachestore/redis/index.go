package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/hosts"
)

var (
	absent  = strings.Repeat("\x00", spanSize)  // of a bucket in a directory
	highest = strings.Repeat("\xff", entrySize) // behind all entries that begin alike
)

// maxConversions of the index for one call: a server of the version before may
// begin an index of layout 1 again where a shard has become empty.
const maxConversions = 3

// errOldIndex is what a script answers where the index is of layout 1.
var errOldIndex = fmt.Errorf("redis: servers of the version before go on making an index of layout 1: %w; stop them", hosts.ErrRefused)

// convert gives a shard the index of layout 2. It is harmless if it has it.
func (s *server) convert(t *turn, n int) error {
	j := job{script: &convertScript, keys: []string{s.shards[n].index}, args: []string{strconv.FormatInt(time.Now().UnixMilli(), 10)}}
	for b := range byte(bucketCount) {
		j.keys = append(j.keys, s.shards[n].bucket(b))
	}
	if err := s.run(t, []job{j})[0].Error(); err != nil {
		return t.fail("convert the index of the version before", err)
	}
	return nil
}

// directories reads those of the shards from first to last, and tells which
// have an index of layout 1 instead.
func (s *server) directories(t *turn, first, last int) (all []string, old []int, err error) {
	results := t.read(func() []rueidis.RedisResult {
		commands := make([]rueidis.Completed, last-first)
		for i := range commands {
			commands[i] = s.client.B().Get().Key(s.shards[first+i].index).Build()
		}
		return s.client.DoMulti(t, commands...)
	})
	all = make([]string, len(results))
	for i, r := range results {
		if rueidis.IsRedisNil(r.Error()) {
			continue
		}
		if answer, ok := rueidis.IsRedisErr(r.Error()); ok && strings.HasPrefix(answer.Error(), "WRONGTYPE") {
			old = append(old, first+i)
			continue
		}
		if all[i], err = r.ToString(); err != nil {
			return nil, nil, t.fail("find", err)
		}
	}
	return all, old, nil
}

// converted is directories of shards that have an index of layout 2 by then.
func (s *server) converted(t *turn, first, last int) ([]string, error) {
	for range maxConversions {
		all, old, err := s.directories(t, first, last)
		if err != nil || old == nil {
			return all, err
		}
		for _, n := range old {
			if err := s.convert(t, n); err != nil {
				return nil, err
			}
		}
	}
	return nil, errOldIndex
}

// migrate converts what the version before has left, so that no call has to
// wait for it. What fails here is left to the save or search that meets it.
func (s *server) migrate(ctx context.Context) {
	asking, cancel := s.probing(ctx)
	defer cancel()
	var old []int
	err := s.inTurn(asking, func(t *turn) (err error) {
		_, old, err = s.directories(t, 0, shardCount)
		return err
	})
	if err != nil {
		return
	}
	for _, n := range old {
		if err := s.inTurn(ctx, func(t *turn) error { return s.convert(t, n) }); err != nil {
			return
		}
	}
}

func (s *server) inTurn(ctx context.Context, do func(*turn) error) error {
	return s.whole.gate.inTurn(ctx, do)
}

func (g *gate) inTurn(ctx context.Context, do func(*turn) error) error {
	t, err := g.enter(ctx)
	if err != nil {
		return err
	}
	defer t.leave()
	return do(t)
}

// convertFor converts the shards of saves that wait for it, and returns those
// saves.
func (s *server) convertFor(t *turn, saves []hosts.Saving, errs []error) (again []int) {
	done := make(map[byte]error)
	for i, err := range errs {
		if !errors.Is(err, errOldIndex) {
			continue
		}
		n := saves[i].Record.ID[0]
		if _, known := done[n]; !known {
			done[n] = s.convert(t, int(n))
		}
		if done[n] != nil {
			errs[i] = done[n]
			continue
		}
		again = append(again, i)
	}
	return again
}

// clean drops entries whose records have expired, unless they have come back.
// What fails here is left to the next search or insert.
func (f *finder) clean(ctx context.Context, gone []entry) {
	var jobs []job
	of := make(map[byte]int)
	for _, e := range gone {
		sh := f.shard(e.id)
		n, ok := of[e.id[0]]
		if !ok {
			n = len(jobs)
			of[e.id[0]] = n
			jobs = append(jobs, job{script: &cleanScript})
		}
		jobs[n].keys = append(jobs[n].keys, sh.record(e.id), sh.bucket(e.bucket))
		jobs[n].args = append(jobs[n].args, e.text())
	}
	for first, n := range of {
		jobs[n].keys = append(jobs[n].keys, f.shards[first].index)
	}
	_ = f.inTurn(ctx, func(t *turn) error {
		f.run(t, jobs)
		return nil
	})
}
