package redis

import (
	_ "embed"
	"encoding/binary"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
)

// The scripts of the version before, which made an index of layout 1.
var (
	//go:embed testdata/layout1/save.lua
	layout1SaveText string
	//go:embed testdata/layout1/delete.lua
	layout1DeleteText string

	layout1Save   = script{layout1SaveText, "58e141c63cb3353c5788ef49c29cb259e8523069"}
	layout1Delete = script{layout1DeleteText, "15ae7a63d1237b97c720df03698b96d7bbe0a2b9"}
)

// layout1 does what a server of the version before did, on any prefix.
type layout1 struct {
	shards *[shardCount]shard
}

// save adds a save to a job.
func (l layout1) save(j *job, r *core.Record, prev core.Version) {
	value := encode(r, expiry(r.ExpiresAt, core.Hour))
	expected := ""
	if prev != core.NoVersion {
		expected = string(binary.BigEndian.AppendUint64(nil, uint64(prev))) + value[offOwner:offFormat]
	}
	sh := &l.shards[r.ID[0]]
	j.script = &layout1Save
	j.keys = append(j.keys, sh.record(r.ID), sh.index)
	j.args = append(j.args, expected, value)
}

func (l layout1) delete(id core.ID) job {
	sh := &l.shards[id[0]]
	return job{&layout1Delete, []string{sh.record(id), sh.index}, []string{sh.record(id)[len(sh.base):]}}
}

// find asks for the sessions of an owner.
func (l layout1) find(c rueidis.Client, o owner) (commands []rueidis.Completed) {
	of := "o" + string(o[:])
	for i := range l.shards {
		commands = append(commands, c.B().Zrangebylex().Key(l.shards[i].index).Min("("+of+"0").Max("["+of+"g").Limit(0, fewEntries).Build())
	}
	return commands
}
