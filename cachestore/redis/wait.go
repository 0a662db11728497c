package redis

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// deleteAndWait deletes and waits on one connection, since WAIT goes by what
// its own connection has done. A node of a cluster that sends the call on to
// another is asked for nothing more: its replicas would acknowledge nothing.
func (s *server) deleteAndWait(t *turn, doing string, j job) error {
	whole, pause := false, firstPause
	to := s.client
	for range maxRedirect {
		results := s.pair(t, to, j, whole)
		gone, waited := results[0], results[1]
		answer, refusal := rueidis.IsRedisErr(gone.Error())
		if refusal && answer.IsNoScript() {
			whole = true
			continue
		}
		if refusal && answer.IsTryAgain() && t.pause(pause) {
			pause *= 2
			continue
		}
		if refusal && s.cluster {
			if address, moved := answer.IsMoved(); moved {
				if node := s.client.Nodes()[address]; node != nil {
					to = node
					continue
				}
			}
		}
		if err := gone.Error(); err != nil {
			return t.fail(doing, err)
		}
		acknowledged, err := waited.AsInt64()
		if err != nil {
			return t.fail(doing+", which the primary has done, wait for replicas", err)
		}
		if acknowledged < int64(s.o.WaitReplicas) {
			return fmt.Errorf("redis: %s: the primary has done it, but %d of %d replicas acknowledged within %v: %w; look at the replicas, or lower Options.WaitReplicas",
				doing, acknowledged, s.o.WaitReplicas, s.o.WaitTimeout, hosts.ErrUnavailable)
		}
		return nil
	}
	return fmt.Errorf("redis: %s: %d nodes send it on: %w; look at CLUSTER NODES", doing, maxRedirect, hosts.ErrUnavailable)
}

// pair sends both commands over one connection of to.
func (s *server) pair(t *turn, to rueidis.Client, j job, whole bool) (results []rueidis.RedisResult) {
	wait := s.client.B().Wait().Numreplicas(int64(s.o.WaitReplicas)).Timeout(s.o.WaitTimeout.Milliseconds()).Build()
	commands := []rueidis.Completed{s.command(&j, whole), wait}
	if !s.cluster || to != s.client {
		return to.DoMulti(t, commands...)
	}
	_ = to.Dedicated(func(c rueidis.DedicatedClient) error {
		results = c.DoMulti(t, commands...)
		return nil
	})
	return results
}

// waitForReplicas waits for all that the node of an ID has done so far: WAIT goes by where
// the node is after the command before it, also if that has deleted nothing.
func (s *part) waitForReplicas(ctx context.Context, id core.ID) error {
	t, err := s.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer t.leave()
	return s.deleteAndWait(t, "wait for replicas", s.deletion(id))
}
