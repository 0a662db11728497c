package redis

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// ask asks whose data the server has, and whether anything stands against relying on
// what it says.
func (f *follower) ask(ctx context.Context) (history string, gap, err error) {
	results := f.client.DoMulti(ctx, f.client.B().Info().Section("replication").Build(), f.client.B().ClientTrackinginfo().Build())
	text, err := results[0].ToString()
	if err != nil {
		return "", nil, denied(ctx, err)
	}
	tracking, err := results[1].AsMap()
	if err != nil {
		return "", nil, denied(ctx, err)
	}
	flags, prefixes := tracking["flags"], tracking["prefixes"]
	info := fields(text)
	switch {
	case info["role"] != "master" || info["master_replid"] == "":
		gap = errNotFirst
	case f.server.primary() != f.address:
		gap = errMovedOn
	case !has(&flags, "bcast") || !has(&prefixes, f.server.tracked()):
		gap = errUnheard
	}
	return info["master_replid"], gap, nil
}

func has(m *rueidis.RedisMessage, text string) bool {
	all, err := m.ToArray()
	if err != nil {
		return false
	}
	for i := range all {
		if one, err := all[i].ToString(); err == nil && one == text {
			return true
		}
	}
	return false
}

// fields reads an answer to INFO.
func fields(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.SplitSeq(text, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			info[name] = value
		}
	}
	return info
}

// versions asks for the mark, and for what is stored now of some that have changed.
func (f *follower) versions(ctx context.Context, changed map[core.ID]struct{}) (feed.State, map[core.ID]core.Version, error) {
	commands := []rueidis.Completed{f.client.B().Get().Key(f.server.markKey()).Build()}
	var ids []core.ID
	for id := range changed {
		if len(ids) == versioned {
			break
		}
		ids = append(ids, id)
		commands = append(commands, f.client.B().Getrange().Key(f.server.shard(id).record(id)).Start(0).End(offOwner-1).Build())
	}
	results := f.client.DoMulti(ctx, commands...)
	state, err := mark(ctx, results[0])
	if err != nil {
		return feed.None, nil, err
	}
	versions := make(map[core.ID]core.Version, len(ids))
	for i, id := range ids {
		text, err := results[i+1].ToString()
		if _, refusal := rueidis.IsRedisErr(err); err != nil && !refusal {
			return feed.None, nil, denied(ctx, err)
		}
		if err == nil && len(text) == offOwner {
			versions[id] = core.Version(binary.BigEndian.Uint64([]byte(text)))
		}
	}
	return state, versions, nil
}
