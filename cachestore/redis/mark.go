package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

//go:embed mark.lua
var markText string

const markName = "caching" // behind the prefix

// marks are what stands in the mark, by feed.State. None is no key.
var marks = [...]string{feed.None: "", feed.On: "on", feed.Stopping: "stopping", feed.Off: "off"}

// mayFollow are the states that each may take the place of. Nobody goes from On to
// Off or None at once: a logout would no longer wait while a cache still believes.
var mayFollow = [...][]feed.State{
	feed.None:     {feed.None, feed.Stopping, feed.Off},
	feed.On:       {feed.None, feed.On, feed.Stopping, feed.Off},
	feed.Stopping: {feed.None, feed.On, feed.Stopping, feed.Off},
	feed.Off:      {feed.None, feed.Stopping, feed.Off},
}

// errNewMark: a later release knows what it means.
var errNewMark = fmt.Errorf("the mark that sessions are cached is of a newer release: %w", errNewer)

func (s *server) markKey() string { return s.o.Prefix + markName }

func readMark(text string) (feed.State, error) {
	if n := slices.Index(marks[:], text); n >= 0 {
		return feed.State(n), nil
	}
	return feed.None, errNewMark
}

// CachingState implements feed.Caching: it asks the primary, once.
func (s *Store) CachingState(ctx context.Context) (feed.State, error) {
	if s.server.cluster {
		return feed.None, nil
	}
	return s.server.caching(ctx)
}

func (s *server) caching(ctx context.Context) (state feed.State, err error) {
	err = s.inTurn(ctx, func(t *turn) error {
		r := t.read(func() []rueidis.RedisResult {
			return []rueidis.RedisResult{s.client.Do(t, s.client.B().Get().Key(s.markKey()).Build())}
		})[0]
		state, err = mark(t.Context, r)
		return err
	})
	return state, err
}

// mark reads the answer to a GET of the mark.
func mark(ctx context.Context, r rueidis.RedisResult) (feed.State, error) {
	const doing = "ask whether sessions are cached"
	text, err := r.ToString()
	if err != nil && !rueidis.IsRedisNil(err) {
		return feed.None, fail(ctx, doing, err)
	}
	state, err := readMark(text)
	if err != nil {
		return feed.None, fmt.Errorf("redis: %s: %w", doing, err)
	}
	return state, nil
}

// EnableCaching implements feed.Caching. The mark is set on the primary, and by the
// time of the return on every replica that is in step with it: so whichever of these
// takes over has it. That is waited for at most Options.WaitTimeout. A failover to a
// replica that was away all the time forgets it, as it forgets sessions.
func (s *Store) EnableCaching(ctx context.Context) error {
	if err := s.CanCache(); err != nil {
		return err
	}
	before, err := s.server.setMark(ctx, feed.On, feed.None, feed.On)
	if err == nil && before != feed.None && before != feed.On {
		err = fmt.Errorf("redis: the mark is %v: %w", before, feed.ErrCachingOff)
	}
	return err
}

// SetCaching implements feed.Caching. It refuses to go from On to Off or None with a
// *hosts.ConfigError: Stopping comes first, and these after feed.Wait.
func (s *Store) SetCaching(ctx context.Context, to feed.State) error {
	if s.server.cluster {
		return errCluster
	}
	if to < feed.None || to > feed.Off {
		return &hosts.ConfigError{Field: "state of caching", Value: to.String(), Allowed: "none, on, stopping or off"}
	}
	from := mayFollow[to]
	before, err := s.server.setMark(ctx, to, from...)
	if err == nil && !slices.Contains(from, before) {
		err = fmt.Errorf("redis: %w", &hosts.ConfigError{Field: "state of caching", Value: to.String() + " after " + before.String(), Allowed: fmt.Sprintf("%v after %v", to, from)})
	}
	return err
}

// setMark sets the mark if it is one of from, and returns what it was.
func (s *server) setMark(ctx context.Context, to feed.State, from ...feed.State) (before feed.State, err error) {
	const doing = "set the mark that sessions are cached"
	info, err := s.info(ctx, s.client)
	if err != nil {
		if errors.Is(err, errNoInfo) {
			err = fmt.Errorf("redis: %s: %w: %w; grant the user +info", doing, hosts.ErrRefused, err)
		}
		return feed.None, err
	}
	if policy := info["maxmemory_policy"]; to == feed.On && strings.HasPrefix(policy, "allkeys") && info["maxmemory"] != "0" {
		return feed.None, fmt.Errorf("redis: %s: %w: with maxmemory-policy %s it may forget the mark; set it to %s", doing, feed.ErrUnsupported, policy, keeps)
	}
	args := []string{marks[to]}
	for _, state := range from {
		args = append(args, marks[state])
	}
	replicas := inStep(info)
	err = s.inTurn(ctx, func(t *turn) error {
		commands := []rueidis.Completed{s.client.B().Eval().Script(markText).Numkeys(1).Key(s.markKey()).Arg(args...).Build()}
		if replicas > 0 {
			commands = append(commands, s.client.B().Wait().Numreplicas(replicas).Timeout(s.o.WaitTimeout.Milliseconds()).Build())
		}
		results := s.client.DoMulti(t, commands...)
		text, err := results[0].ToString()
		if err != nil {
			return t.fail(doing, err)
		}
		if before, err = readMark(text); err != nil {
			return fmt.Errorf("redis: %s: %w", doing, err)
		}
		if replicas == 0 {
			return nil
		}
		have, err := results[1].AsInt64()
		if err != nil {
			return t.fail(doing+", which the primary has done, wait for replicas", err)
		}
		if have < replicas {
			return fmt.Errorf("redis: %s: the primary has done it, but %d of %d replicas have it after %v: %w; look at the replicas, or raise Options.WaitTimeout",
				doing, have, replicas, s.o.WaitTimeout, hosts.ErrUnavailable)
		}
		return nil
	})
	return before, err
}

// inStep counts the replicas that receive what the primary does.
func inStep(info map[string]string) (n int64) {
	for name, value := range info {
		if strings.HasPrefix(name, "slave") && strings.Contains(value, "state=online") {
			n++
		}
	}
	return n
}
