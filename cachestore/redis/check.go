package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/hosts"
)

// ErrEvicts means that the server may drop live sessions to make room.
var ErrEvicts = errors.New("server evicts sessions when its memory is full")

// ErrPolicyUnknown means that a server does not let this user ask what it does
// when its memory is full.
var ErrPolicyUnknown = errors.New("server does not tell its maxmemory-policy")

// keeps is the policy that refuses writes when the memory is full. All others
// drop keys with a TTL, as all of ours are.
const keeps = "noeviction"

// Check asks every node, replicas of a cluster included, what it does when its
// memory is full. The error wraps ErrEvicts if one has a maxmemory and a
// maxmemory-policy other than noeviction; else ErrPolicyUnknown if one cannot
// be asked or does not answer.
func (s *Store) Check(ctx context.Context) error { return s.server.check(ctx) }

func (s *server) check(ctx context.Context) error {
	var unknown error
	for address, node := range s.client.Nodes() {
		info, err := s.info(ctx, node)
		if errors.Is(err, hosts.ErrClosed) {
			return err
		}
		switch policy := info["maxmemory_policy"]; {
		case err != nil:
			unknown = fmt.Errorf("redis: node %s: %w: %w", address, ErrPolicyUnknown, err)
		case policy == "":
			unknown = fmt.Errorf("redis: node %s: %w; ask who runs it", address, ErrPolicyUnknown)
		case policy != keeps && info["maxmemory"] != "0":
			return fmt.Errorf("redis: node %s: %w: its maxmemory-policy is %s; set it to %s", address, ErrEvicts, policy, keeps)
		}
	}
	return unknown
}

// examine refuses, now and not at the first login, a server on which the
// promises could not be kept. A managed one may not tell: then Open goes on.
func (s *server) examine(ctx context.Context) error {
	if !s.cluster {
		info, err := s.info(ctx, s.client)
		switch {
		case errors.Is(err, errNoInfo):
		case err != nil:
			return err
		case info["redis_mode"] == "cluster":
			return fmt.Errorf("redis: open: %w", &hosts.ConfigError{Field: "URL", Value: "a node of a cluster", Allowed: "redis+cluster://"})
		case info["role"] == "slave":
			return refused("open", "READONLY ", false)
		}
	}
	if err := s.check(ctx); errors.Is(err, ErrEvicts) && !s.o.AllowEviction {
		return fmt.Errorf("%w; or accept it with Options.AllowEviction", err)
	}
	if s.cluster {
		return nil
	}
	if _, err := s.caching(ctx); errors.Is(err, errNewMark) {
		return err
	}
	return nil // other errors are those of the first call
}

var errNoInfo = errors.New("INFO is not permitted")

// info asks a node about itself.
func (s *server) info(ctx context.Context, node rueidis.Client) (map[string]string, error) {
	ctx, cancel := s.probing(ctx)
	defer cancel()
	t, err := s.whole.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer t.leave()
	text, err := node.Do(t, node.B().Info().Build()).ToString()
	if answer, ok := rueidis.IsRedisErr(err); ok && (strings.HasPrefix(answer.Error(), "NOPERM") || strings.HasPrefix(answer.Error(), "ERR unknown command")) {
		return nil, errNoInfo
	}
	if err != nil {
		return nil, t.fail("ask for INFO", err)
	}
	return fields(text), nil
}

// probing bounds what is asked of one node of several, any of which may hang.
func (s *server) probing(ctx context.Context) (context.Context, context.CancelFunc) {
	if !s.cluster {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, probeTime)
}
