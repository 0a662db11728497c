package redis

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of one command, so that it keeps the server from others for about a
// millisecond at the most.
const (
	readKeys    = 512       // of one MGET
	scriptSaves = 64        // of one script
	scriptBytes = 256 << 10 // sealed bytes of one script; one larger record goes alone
)

// LoadMany implements hosts.Batcher.
func (s *part) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
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
func (s *part) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
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
	all := make([]int, len(saves))
	for i := range all {
		all[i] = i
	}
	for range maxConversions {
		s.saveAll(t, saves, all, errs)
		if all = s.convertFor(t, saves, errs); all == nil {
			break
		}
	}
	return errs
}

// saveAll does the saves at the given places.
func (s *server) saveAll(t *turn, saves []hosts.Saving, at []int, errs []error) {
	parcels := s.plan(saves, at, errs)
	if len(parcels) == 0 {
		return
	}
	jobs := make([]job, len(parcels))
	for n, p := range parcels {
		jobs[n] = p.job
	}
	for n, r := range s.run(t, jobs) {
		t.saved(r, parcels[n].places, errs)
	}
}

// saved reads the answer to one script.
func (t *turn) saved(r rueidis.RedisResult, places []int, errs []error) {
	answers, err := r.ToArray()
	if err == nil && len(answers) != len(places) {
		err = fmt.Errorf("%d answers to %d saves", len(answers), len(places))
	}
	if err != nil {
		err = t.fail("save", err)
	}
	for i, at := range places {
		if errs[at] = err; err == nil {
			errs[at] = verdict(&answers[i])
		}
	}
}

// verdict reads what a script says of one save.
func verdict(m *rueidis.RedisMessage) error {
	if m.IsString() {
		text, err := m.ToString()
		if err != nil {
			return damaged("cannot be read")
		}
		return refused("save", text, true)
	}
	switch code, err := m.AsInt64(); {
	case err != nil:
		return fmt.Errorf("redis: save: the script gives no number: %w", hosts.ErrUnavailable)
	case code == 1:
		return nil
	case code == 2:
		return damaged("is cut short")
	case code == 3:
		return errOldIndex
	case code == 4:
		return errAnnounce
	}
	return errConflict
}

// parcel is a script and the places of its saves among those that were asked for.
type parcel struct {
	job
	places []int
	bytes  int
}

// plan makes scripts of the saves, in a cluster of those of each shard. Records
// that fail their check are in none.
func (s *server) plan(saves []hosts.Saving, at []int, errs []error) []parcel {
	var parcels []parcel
	var of [shardCount]int // the last parcel of a shard, counted from 1
	for _, i := range at {
		r := &saves[i].Record
		if err := r.Check(); err != nil {
			errs[i] = fmt.Errorf("redis: save: %w", err)
			continue
		}
		group := byte(0)
		if s.cluster {
			group = r.ID[0]
		}
		if n := of[group]; n == 0 || len(parcels[n-1].places) == scriptSaves || parcels[n-1].bytes+len(r.Sealed) > scriptBytes {
			parcels = append(parcels, parcel{job: job{script: &saveScript}})
			of[group] = len(parcels)
		}
		p := &parcels[of[group]-1]
		p.add(s, r, saves[i].Prev)
		p.places = append(p.places, i)
		p.bytes += len(r.Sealed)
	}
	for n := range parcels {
		parcels[n].stamp(s.cluster)
	}
	return parcels
}

// stamp ends the arguments of a script with the time.
func (p *parcel) stamp(cluster bool) {
	p.args = append(p.args, strconv.FormatInt(time.Now().UnixMilli(), 10))
	if cluster {
		p.args = append(p.args, "cluster")
	}
}

func (p *parcel) add(s *server, r *core.Record, prev core.Version) {
	expires := expiry(r.ExpiresAt, core.Milliseconds(s.o.Retention))
	value := encode(r, expires)
	o := owner([]byte(value[offOwner:offExpiry]))
	expected := ""
	switch prev {
	case core.NoVersion:
		if r.User != "" {
			expected = s.hintKey(o)
		}
	case r.Version:
		expected = "same" // no version has four bytes: it replaces nothing
	default:
		b := make([]byte, 0, offFormat)
		expected = rueidis.BinaryString(append(binary.BigEndian.AppendUint64(b, uint64(prev)), value[offOwner:offFormat]...))
	}
	e := entry{owner: o.short(), id: r.ID}
	sh := s.shard(r.ID)
	p.keys = append(p.keys, sh.record(r.ID), sh.index, sh.bucket(o.bucket(r.ID)))
	p.args = append(p.args, expected, value, strconv.FormatInt(expires, 10), e.text())
}
