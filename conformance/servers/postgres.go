package servers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// OwnPostgres is a PostgreSQL that a test has for itself: it may kill it and promote its
// standby. It ends with the test. One goroutine at a time uses it.
type OwnPostgres struct {
	Data string // the folder
	Port int    // may be set before it is started

	t     testing.TB
	bin   string
	owner *syscall.SysProcAttr
	run   *exec.Cmd
}

// NewPostgres makes one that is not started yet.
func NewPostgres(t testing.TB) *OwnPostgres {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	if path, err := exec.LookPath("postgres"); err == nil {
		path, err = filepath.EvalSymlinks(path) // the others stand beside it
		require.NoError(t, err)
		found = append(found, path)
	}
	if len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no postgres: install it (Debian: apt-get install postgresql)")
		}
		t.Skip("SKIPPED, NOT TESTED: no postgres to be killed; install it (Debian: apt-get install postgresql)")
	}
	sort.Strings(found)
	base, err := os.MkdirTemp("", "postgres-own-") // the user that runs it must reach it
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(base)) })
	s := &OwnPostgres{t: t, bin: filepath.Dir(found[len(found)-1]), Data: filepath.Join(base, "data"), Port: FreePort(t), owner: &syscall.SysProcAttr{Setpgid: true}}
	if os.Getuid() == 0 { // it refuses to be root
		who, err := user.Lookup("postgres")
		require.NoError(t, err)
		uid, err := strconv.Atoi(who.Uid)
		require.NoError(t, err)
		gid, err := strconv.Atoi(who.Gid)
		require.NoError(t, err)
		require.NoError(t, os.Chown(base, uid, gid))
		s.owner.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	s.Command("initdb", "-D", s.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
	t.Cleanup(s.Kill)
	return s
}

// FreePort is one on which nobody listens at the moment.
func FreePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Address is its host and port.
func (s *OwnPostgres) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// URL is that of its database.
func (s *OwnPostgres) URL() string {
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", s.Address())
}

func (s *OwnPostgres) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr = "/", s.owner
	return c
}

// Command runs one of the server's programs, which must succeed.
func (s *OwnPostgres) Command(name string, args ...string) {
	s.t.Helper()
	text, err := s.command(name, args...).CombinedOutput()
	require.NoError(s.t, err, string(text))
}

// Start starts it, again while processes of the one that was killed still end, and
// returns when up does not fail.
func (s *OwnPostgres) Start(up func() error) {
	deadline := time.Now().Add(time.Minute)
	for {
		s.run = s.command("postgres", "-D", s.Data, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
		require.NoError(s.t, s.run.Start())
		ended := make(chan struct{})
		go func(run *exec.Cmd) { _ = run.Wait(); close(ended) }(s.run)
		for {
			err := up()
			if err == nil {
				return
			}
			require.True(s.t, time.Now().Before(deadline), "the server does not come back: %v", err)
			select {
			case <-ended:
			case <-time.After(20 * time.Millisecond):
				continue
			}
			break
		}
	}
}

// Kill ends all of its processes as a crash would.
func (s *OwnPostgres) Kill() {
	if s.run != nil {
		_ = syscall.Kill(-s.run.Process.Pid, syscall.SIGKILL) // it may have ended
	}
}

// Standby copies it into a server that follows it as a standby, and is not started yet.
func (s *OwnPostgres) Standby() *OwnPostgres {
	s.t.Helper()
	base, err := os.MkdirTemp(filepath.Dir(s.Data), "standby-")
	require.NoError(s.t, err)
	if c := s.owner.Credential; c != nil {
		require.NoError(s.t, os.Chown(base, int(c.Uid), int(c.Gid)))
	}
	standby := &OwnPostgres{t: s.t, bin: s.bin, Data: filepath.Join(base, "data"), Port: FreePort(s.t), owner: s.owner}
	s.Command("pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port), "-U", "postgres", "-D", standby.Data, "-R", "-X", "stream", "-c", "fast")
	s.t.Cleanup(standby.Kill)
	return standby
}

// Promote has a standby decide by itself from now on.
func (s *OwnPostgres) Promote() {
	s.t.Helper()
	s.Command("pg_ctl", "-D", s.Data, "-w", "promote")
}
