package redis

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
)

// What a server answers has its kind and remedy. What it repeats of what it was
// sent is not shown.
func TestAnswersOfServers(t *testing.T) {
	const secret = "hunter2"
	for answer, want := range map[string]error{
		"OOM command not allowed when used memory > 'maxmemory'.":                                hosts.ErrFull,
		"@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.":              hosts.ErrFull,
		"LOADING Redis is loading the dataset in memory":                                         hosts.ErrRefused,
		"CLUSTERDOWN The cluster is down":                                                        hosts.ErrRefused,
		"MISCONF Redis is configured to save RDB snapshots":                                      hosts.ErrRefused,
		"NOREPLICAS Not enough good replicas to write.":                                          hosts.ErrRefused,
		"READONLY You can't write against a read only replica.":                                  hosts.ErrRefused,
		"READONLY You can't write against a read only replica. script: 58e1, on @user_script:9.": hosts.ErrRefused,
		"NOPERM User ada has no permissions to run the 'evalsha' command":                        hosts.ErrRefused,
		"NOAUTH Authentication required.":                                                        hosts.ErrRefused,
		"WRONGPASS invalid username-password pair":                                               hosts.ErrRefused,
		"ERR max number of clients reached":                                                      hosts.ErrUnavailable,
		"ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'ada' 'hunter2'":      hosts.ErrUnavailable,
		"ERR unknown command `HELLO`, with args beginning with: `3`, `hunter2`, ":                hosts.ErrUnavailable,
		"ERR wrong value, with args hunter2":                                                     hosts.ErrUnavailable,
	} {
		err := refused("save", answer, false)
		require.ErrorIs(t, err, want, answer)
		require.ErrorContains(t, err, "redis: save: ")
		require.ErrorContains(t, err, "the server answers ")
		require.NotContains(t, err.Error(), secret)
	}
	require.ErrorContains(t, refused("save", "ERR max number of clients reached", false), "max number of clients")
	require.LessOrEqual(t, len(quotable(string(make([]byte, 1000)))), 100)
}

// TestAScriptThatEndsHalfway may have done a part of its saves; a save that is
// refused by itself has changed nothing.
func TestAScriptThatEndsHalfway(t *testing.T) {
	for _, answer := range []string{
		"ERR The user executing the script can't run this command or subcommand script: 58e1, on @user_script:9.",
		"WRONGTYPE Operation against a key holding the wrong kind of value script: 58e1, on @user_script:9.",
		"ERR something new",
	} {
		require.NotErrorIs(t, refused("save", answer, false), hosts.ErrRefused, answer)
		require.ErrorIs(t, refused("save", answer, false), hosts.ErrUnavailable, answer)
		require.ErrorIs(t, refused("save", answer, true), hosts.ErrRefused, answer)
	}
}

func TestErrorsOfConnections(t *testing.T) {
	err := fail(t.Context(), "load", io.EOF)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorIs(t, err, io.EOF)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, fail(ctx, "load", io.EOF), context.Canceled)
	ctx, cancel = context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	require.ErrorIs(t, fail(ctx, "load", io.EOF), context.DeadlineExceeded)
	require.False(t, errors.Is(fail(t.Context(), "load", context.DeadlineExceeded), context.DeadlineExceeded), "the caller's context goes on")
}

// A cache has a bound of loads that are under way, and is left before it closes.
func TestCounter(t *testing.T) {
	c := counter{none: make(chan struct{}, 1)}
	for range maxCached {
		require.NoError(t, c.enter())
	}
	require.ErrorIs(t, c.enter(), hosts.ErrBusy)
	c.leave()
	require.NoError(t, c.enter())
	closed := make(chan struct{})
	go func() {
		c.close()
		close(closed)
	}()
	eventually(t, "it is closing", c.closed.Load)
	require.ErrorIs(t, c.enter(), hosts.ErrClosed)
	for n := range maxCached {
		if n < maxCached-1 {
			c.leave()
			continue
		}
		select {
		case <-closed:
			t.Error("it closed while a load was under way")
		default:
		}
		c.leave()
	}
	<-closed
	c.close()
}
