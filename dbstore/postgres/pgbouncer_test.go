package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

// pooled starts a PgBouncer in transaction mode before the server of the tests
// and returns the server's URL by way of it.
func pooled(t *testing.T) string {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // where Debian keeps it from ordinary users
		_, err = os.Stat(program)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("pgbouncer is not installed: `make test` installs it")
	default:
		t.Skip("SKIPPED, NOT TESTED: PostgreSQL behind PgBouncer; install pgbouncer")
	}
	server, err := url.Parse(servers.Postgres(t))
	require.NoError(t, err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().(*net.TCPAddr)
	require.NoError(t, free.Close())

	dir, err := os.MkdirTemp("", "pgbouncer")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	login := "user=" + server.User.Username()
	if password, ok := server.User.Password(); ok {
		login += " password='" + password + "'"
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
* = host=%s port=%s %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
`, server.Hostname(), server.Port(), login, address.Port), 0o644))
	require.NoError(t, os.Chmod(dir, 0o755))

	run := exec.Command(program, config)
	run.Dir = "/"
	if os.Getuid() == 0 { // it refuses to be root
		nobody, err := user.Lookup("nobody")
		require.NoError(t, err)
		id, err := strconv.Atoi(nobody.Uid)
		require.NoError(t, err)
		run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	defer log.Close()
	run.Stdout, run.Stderr = log, log
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		require.NoError(t, run.Process.Kill())
		run.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("pgbouncer: %s", text)
		}
	})
	awaitListener(t, address.String())
	server.Host = address.String()
	return server.String()
}

// awaitListener returns when an address takes connections.
func awaitListener(t *testing.T, address string) {
	for end := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			require.NoError(t, c.Close())
			return
		}
		require.True(t, time.Now().Before(end), err)
	}
}

// TestBehindPgBouncer holds every promise behind a pooler that hands each
// transaction another connection.
func TestBehindPgBouncer(t *testing.T) {
	base := pooled(t)
	open := func(t *testing.T, mode, table string) (*dbstore.Store, error) {
		u, err := url.Parse(base)
		require.NoError(t, err)
		q := u.Query()
		if mode != "" {
			q.Set("default_query_exec_mode", mode)
		}
		u.RawQuery = q.Encode()
		s, err := Open(t.Context(), u.String(), Options{Table: table, Fast: true, MaxConns: 12})
		if err == nil {
			t.Cleanup(func() { require.NoError(t, s.Close()) })
		}
		return s, err
	}
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		table := newTable(t)
		a, err := open(t, "cache_describe", table)
		require.NoError(t, err)
		b, err = open(t, "cache_describe", table)
		require.NoError(t, err)
		return a, b
	}, soak.Unless(t, conformance.Brief())...)
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol", ""} {
		t.Run("mode "+mode, func(t *testing.T) {
			s, err := open(t, mode, newTable(t))
			if err == nil {
				err = useAll(t.Context(), s)
			}
			if mode == "" && err != nil { // newer ones keep prepared statements apart
				require.ErrorIs(t, err, hosts.ErrUnavailable)
				require.ErrorContains(t, err, "default_query_exec_mode=cache_describe")
				return
			}
			require.NoError(t, err)
			followBehind(t, s)
		})
	}
}

// followBehind has every question another connection.
func followBehind(t *testing.T, s *dbstore.Store) {
	require.NoError(t, s.EnableCaching(t.Context()))
	f, err := s.Follow(t.Context())
	require.NoError(t, err)
	for range 20 {
		r := core.Record{ID: randomID(), Version: randomVersion()}
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		require.NoError(t, s.Delete(t.Context(), r.ID))
		c, err := f.Changes(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Gap)
		require.True(t, c.Caching)
		require.Equal(t, []feed.Change{{ID: r.ID, Prev: r.Version}}, c.Entries)
	}
}

// useAll calls every statement from many callers, who are handed each other's
// connections.
func useAll(ctx context.Context, s *dbstore.Store) error {
	const callers, turns = 16, 20
	errs := make([]error, callers)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for range turns {
				if errs[c] = useOnce(ctx, s); errs[c] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func useOnce(ctx context.Context, s *dbstore.Store) error {
	first := core.Record{ID: randomID(), Version: randomVersion(), Tenant: "a", User: "b", ExpiresAt: core.Day, Sealed: sealedBytes(10)}
	is, prev := next(&first)
	last, lastPrev := next(&is)
	errs := []error{s.Save(ctx, first, core.NoVersion), s.Save(ctx, is, prev), s.Save(ctx, is, prev)}
	errs = append(errs, s.SaveMany(ctx, []hosts.Saving{{Record: last, Prev: lastPrev, Touch: true}})...)
	other := first
	other.ID = randomID()
	errs = append(errs, s.SaveMany(ctx, []hosts.Saving{{Record: last, Prev: is.Version}, {Record: other}})...)
	found, e := s.Find(ctx, hosts.Query{Tenant: "a", User: "b"}, core.ID{}, 1)
	errs = append(errs, e)
	loaded := s.LoadMany(ctx, []core.ID{first.ID, other.ID})
	errs = append(errs, loaded[0].Err, loaded[1].Err, s.Delete(ctx, first.ID))
	_, e = s.Sweep(ctx, core.Hour, 10)
	if errs = append(errs, e); len(found) != 1 || !bytes.Equal(loaded[0].Record.Sealed, first.Sealed) {
		errs = append(errs, errors.New("Find or LoadMany does not see what was saved"))
	}
	return errors.Join(errs...)
}
