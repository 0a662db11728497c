package redis

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of one command, so that it keeps the server from others for about a
// millisecond at the most.
const (
	readKeys    = 512       // of one MGET
	scriptSaves = 128       // of one script
	scriptBytes = 256 << 10 // sealed bytes of one script; one larger record goes alone
)

// LoadMany implements hosts.Batcher.
func (s *server) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	answers := make([]hosts.Loaded, len(ids))
	if len(ids) == 0 {
		return answers
	}
	t, err := s.gate.enter(ctx)
	if err != nil {
		for i := range answers {
			answers[i].Err = err
		}
		return answers
	}
	defer t.leave()
	s.load(t, ids, answers)
	return answers
}

// load answers ids[i] at answers[i]. In a cluster each key is asked for alone,
// those of one node in one go.
func (s *server) load(t *turn, ids []core.ID, answers []hosts.Loaded) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.shard(id).record(id)
	}
	if s.cluster {
		for i, r := range t.read(func() []rueidis.RedisResult { return s.client.DoMulti(t, s.gets(keys)...) }) {
			answers[i].Record, answers[i].Err = record(t.Context, ids[i], r)
		}
		return
	}
	results := t.read(func() []rueidis.RedisResult { return s.client.DoMulti(t, s.gets(keys)...) })
	for n, r := range results {
		from := n * readKeys
		values, err := r.ToArray()
		if err == nil && len(values) != min(readKeys, len(ids)-from) {
			err = fmt.Errorf("%d values", len(values))
		}
		if err != nil {
			err = t.fail("load", err)
		}
		for i := from; i < min(from+readKeys, len(ids)); i++ {
			if err != nil {
				answers[i].Err = err
				continue
			}
			answers[i].Record, answers[i].Err = value(t.Context, ids[i], &values[i-from])
		}
	}
}

// gets asks for all keys: one server in few commands, the nodes of a cluster
// key by key.
func (s *server) gets(keys []string) []rueidis.Completed {
	var commands []rueidis.Completed
	if s.cluster {
		for _, k := range keys {
			commands = append(commands, s.client.B().Get().Key(k).Build())
		}
		return commands
	}
	for len(keys) > 0 {
		n := min(len(keys), readKeys)
		commands = append(commands, s.client.B().Mget().Key(keys[:n]...).Build())
		keys = keys[n:]
	}
	return commands
}

// SaveMany implements hosts.Batcher.
func (s *server) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	errs := make([]error, len(saves))
	if len(saves) == 0 {
		return errs
	}
	t, err := s.gate.enter(ctx)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	defer t.leave()
	jobs, places := s.plan(saves, errs)
	if len(jobs) == 0 {
		return errs
	}
	for n, r := range s.run(t, jobs) {
		answers, err := r.ToArray()
		if err == nil && len(answers) != len(places[n]) {
			err = fmt.Errorf("%d answers to %d saves", len(answers), len(places[n]))
		}
		if err != nil {
			err = t.fail("save", err)
		}
		for i, at := range places[n] {
			if errs[at] = err; err == nil {
				errs[at] = saved(&answers[i])
			}
		}
	}
	return errs
}

// saved reads what the script says of one save.
func saved(m *rueidis.RedisMessage) error {
	if m.IsString() {
		text, err := m.ToString()
		if err != nil {
			return damaged("cannot be read")
		}
		return refused("save", text)
	}
	switch code, err := m.AsInt64(); {
	case err != nil:
		return fmt.Errorf("redis: save: the script gives no number: %w", hosts.ErrUnavailable)
	case code == 1:
		return nil
	case code == 2:
		return damaged("is cut short")
	}
	return errConflict
}

// plan makes scripts of the saves, in a cluster of those of each shard, and
// tells which saves each has. Records that fail their check are in none.
func (s *server) plan(saves []hosts.Saving, errs []error) (jobs []job, places [][]int) {
	groups := make(map[byte]int)
	bytes := make([]int, 0, 1)
	for i := range saves {
		r := &saves[i].Record
		if err := r.Check(); err != nil {
			errs[i] = fmt.Errorf("redis: save: %w", err)
			continue
		}
		var group byte
		if s.cluster {
			group = r.ID[0]
		}
		n, begun := groups[group]
		if !begun || len(places[n]) == scriptSaves || bytes[n]+len(r.Sealed) > scriptBytes {
			n = len(jobs)
			groups[group] = n
			jobs, places, bytes = append(jobs, job{script: &saveScript}), append(places, nil), append(bytes, 0)
		}
		s.add(&jobs[n], r, saves[i].Prev)
		places[n] = append(places[n], i)
		bytes[n] += len(r.Sealed)
	}
	return jobs, places
}

func (s *server) add(j *job, r *core.Record, prev core.Version) {
	var was []byte
	if prev != core.NoVersion {
		was = binary.BigEndian.AppendUint64(nil, uint64(prev))
	}
	sh := s.shard(r.ID)
	at := expiry(r.ExpiresAt, core.Milliseconds(s.o.Retention))
	day := horizon(at)
	j.keys = append(j.keys, sh.record(r.ID), sh.index)
	j.args = append(j.args, string(r.ID[:]), string(was), strconv.FormatInt(at, 10), strconv.FormatInt(day*dayLength, 10), encode(r, day))
}
