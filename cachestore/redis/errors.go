package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var (
	errClosed   = fmt.Errorf("redis: %w", hosts.ErrClosed)
	errNotFound = fmt.Errorf("redis: %w", core.ErrNotFound)
	errConflict = fmt.Errorf("redis: %w", core.ErrConflict)
	// errNewer is not core.ErrCorrupt: the session lives, in a newer program.
	errNewer = fmt.Errorf("upgrade this program: %w", hosts.ErrUnavailable)
)

// refusals are the codes that a server's errors begin with, what a host makes
// of each, and what to do.
var refusals = []struct {
	code   string
	kind   error
	remedy string
}{
	{"OOM", hosts.ErrFull, "raise maxmemory of the server, or shorten lifetimes"},
	{"MISCONF", hosts.ErrRefused, "the server cannot write its snapshots: look at its disk and log"},
	{"LOADING", hosts.ErrRefused, "the server reads its data after a start: wait"},
	{"BUSY", hosts.ErrRefused, "a script of some program keeps the server: SCRIPT KILL ends it"},
	{"CLUSTERDOWN", hosts.ErrRefused, "part of the cluster is down: look at CLUSTER INFO"},
	{"MASTERDOWN", hosts.ErrRefused, "the replica has lost its primary: look at INFO replication"},
	{"TRYAGAIN", hosts.ErrRefused, "the cluster moves these sessions to another node: try again"},
	{"MOVED", hosts.ErrRefused, "the nodes disagree about who has these sessions, or it is a cluster: use redis+cluster://"},
	{"ASK", hosts.ErrRefused, "the cluster moves these sessions to another node: try again"},
	{"READONLY", hosts.ErrRefused, "it is a replica: name the primary, or use redis+sentinel:// or redis+cluster://"},
	{"NOREPLICAS", hosts.ErrRefused, "fewer replicas than min-replicas-to-write of the server are there"},
	{"NOAUTH", hosts.ErrRefused, "the server wants a password: put it in the URL"},
	{"WRONGPASS", hosts.ErrRefused, "correct the user and password in the URL"},
	{"NOPERM", hosts.ErrRefused, "grant the user what package redis lists"},
	{"WRONGTYPE", hosts.ErrRefused, "another program uses keys of this prefix: choose another prefix"},
	{"EXECABORT", hosts.ErrRefused, "look at the server's log"},
}

// fail gives an error of the client its kind and its remedy. What the server
// says is quoted for known codes only: it may repeat what it was sent.
func (t *turn) fail(doing string, err error) error { return fail(t.Context, doing, err) }

func fail(ctx context.Context, doing string, err error) error {
	if ended := over(ctx); ended != nil {
		return fmt.Errorf("redis: %s: %w", doing, ended)
	}
	if answer, ok := rueidis.IsRedisErr(err); ok {
		return refused(doing, answer.Error(), false)
	}
	switch {
	case errors.Is(err, rueidis.ErrClosing):
		return fmt.Errorf("redis: %s: the connection is closing: %w", doing, hosts.ErrUnavailable)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("redis: %s: %w: no answer in time; look at the server and the network, or raise Options.Timeout", doing, hosts.ErrUnavailable)
	}
	return fmt.Errorf("redis: %s: %w: %w; look at the address, the server and the network", doing, hosts.ErrUnavailable, err)
}

// halfway are codes with which a server may end a script that has done a part of
// its saves. The others stop it before its first write.
var halfway = []string{"NOPERM", "WRONGTYPE"}

// refused is fail for what the server answered; alone, of one save by itself,
// which has then changed nothing.
func refused(doing, answer string, alone bool) error {
	inScript := strings.Contains(answer, "script")
	if strings.Contains(answer, "The user executing the script") {
		answer = "NOPERM " // which is how it is said outside a script
	}
	for _, r := range refusals {
		if strings.HasPrefix(answer, r.code+" ") || strings.Contains(answer, "-"+r.code+" ") {
			if inScript && !alone && slices.Contains(halfway, r.code) {
				r.kind = hosts.ErrUnavailable
			}
			return fmt.Errorf("redis: %s: %w: the server answers %s; %s", doing, r.kind, r.code, r.remedy)
		}
	}
	kind := hosts.ErrUnavailable
	if alone {
		kind = hosts.ErrRefused
	}
	return fmt.Errorf("redis: %s: %w: the server answers %q; see its documentation", doing, kind, quotable(answer))
}

// quotable leaves out the arguments that a server repeats: they may be a
// password or part of a session.
func quotable(answer string) string {
	const longest = 80
	for _, end := range []string{", with args", "`", "'", "\"", "\r", "\n"} {
		answer, _, _ = strings.Cut(answer, end)
	}
	return answer[:min(len(answer), longest)]
}

// over returns the error of a context that has ended, also one whose deadline
// the connection's has met a moment before.
func over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d, ok := ctx.Deadline(); ok && time.Until(d) < time.Millisecond {
		return context.DeadlineExceeded
	}
	return nil
}
