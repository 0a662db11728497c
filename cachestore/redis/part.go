package redis

import (
	"context"
	"errors"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// part is the sessions of one node of a cluster, with a gate and a coalescer of
// their own: a node that hangs holds up no calls to the others. Which sessions
// these are is found out once; after nodes have exchanged sessions parts are
// apart a little less, and no less right.
type part struct {
	*server
	gate   *gate
	gather *coalesce.Store
	herald *coalesce.Store // of hints on the node; nil without a cluster
}

// divide makes the parts. One more, the whole, is for calls to all nodes; one
// server has only that.
func (s *server) divide(ctx context.Context) error {
	var nodes int
	if s.cluster {
		var err error
		if nodes, err = s.assign(ctx); err != nil {
			return err
		}
	}
	for n := range nodes {
		s.parts = append(s.parts, &part{server: s, gate: newGate(&s.turns, n+1, s.o.Timeout)})
	}
	if nodes == 0 {
		s.parts = []*part{s.whole}
	}
	for _, p := range s.parts {
		var err error
		if p.gather, err = coalesce.New(p, s.o.Coalescing); err != nil {
			return errors.Join(err, s.close())
		}
		if !s.cluster {
			continue
		}
		if p.herald, err = coalesce.New(announcer{p}, s.o.Coalescing); err != nil {
			return errors.Join(err, s.close())
		}
	}
	return nil
}

// assign gives each shard the part of the node that has it, and returns how
// many parts there are; zero if the cluster does not tell.
func (s *server) assign(ctx context.Context) (int, error) {
	ranges, err := s.slots(ctx)
	if err != nil {
		return 0, err
	}
	parts := make(map[string]int)
	for _, r := range ranges {
		fields, err := r.ToArray()
		if err != nil || len(fields) < 3 {
			continue
		}
		first, _ := fields[0].AsInt64()
		last, _ := fields[1].AsInt64()
		node := nodeID(&fields[2])
		for n := range s.shards {
			command := s.client.B().Get().Key(s.shards[n].index).Build()
			if slot := int64(command.Slot()); slot < first || slot > last {
				continue
			}
			if _, known := parts[node]; !known {
				parts[node] = len(parts)
			}
			s.partOf[n] = uint8(parts[node] % (maxGates - 1))
		}
	}
	return min(len(parts), maxGates-1), nil
}

// slots asks one node after the other which node has which; none if this user
// may not know.
func (s *server) slots(ctx context.Context) (ranges []rueidis.RedisMessage, err error) {
	for _, node := range s.client.Nodes() {
		ranges, err = s.slotsBy(ctx, node)
		if _, refusal := rueidis.IsRedisErr(err); refusal {
			return nil, nil
		}
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, fail(ctx, "ask for CLUSTER SLOTS", err)
	}
	return ranges, nil
}

func (s *server) slotsBy(ctx context.Context, node rueidis.Client) ([]rueidis.RedisMessage, error) {
	ctx, cancel := s.probing(ctx)
	defer cancel()
	t, err := s.whole.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer t.leave()
	return node.Do(t, node.B().ClusterSlots().Build()).ToArray()
}

// nodeID reads who has a range of slots: address, port and ID.
func nodeID(m *rueidis.RedisMessage) string {
	fields, err := m.AsStrSlice()
	if err != nil || len(fields) < 3 {
		return ""
	}
	return fields[2]
}

// close refuses calls that begin or wait, and returns when none is under way.
func (s *server) close() error {
	s.whole.gate.refuse()
	for _, p := range s.parts {
		p.gate.refuse()
	}
	var err error
	for _, p := range s.parts {
		for _, c := range []*coalesce.Store{p.gather, p.herald} {
			if c != nil {
				err = errors.Join(err, c.Close())
			}
		}
		p.gate.drain()
	}
	s.whole.gate.drain()
	s.cached.close()
	s.release.Do(s.client.Close)
	return err
}
