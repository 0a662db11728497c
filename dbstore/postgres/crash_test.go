package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/internal/soak"
)

// ownServer is a PostgreSQL that a test may kill.
type ownServer struct {
	t         *testing.T
	bin, data string
	port      int
	owner     *syscall.SysProcAttr
	run       *exec.Cmd
}

func newOwnServer(t *testing.T) *ownServer {
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
	base, err := os.MkdirTemp("", "postgres-crash-") // whoever runs it must reach it
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(base)) })
	s := &ownServer{t: t, bin: filepath.Dir(found[len(found)-1]), data: filepath.Join(base, "data"), owner: &syscall.SysProcAttr{Setpgid: true}}
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
	text, err := s.command("initdb", "-D", s.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C").CombinedOutput()
	require.NoError(t, err, string(text))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.port = l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	t.Cleanup(s.kill)
	return s
}

func (s *ownServer) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr = "/", s.owner
	return c
}

// start starts it, again while processes of the one that was killed still end,
// and opens the store.
func (s *ownServer) start(open func() error) {
	deadline := time.Now().Add(time.Minute)
	for {
		s.run = s.command("postgres", "-D", s.data, "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
		require.NoError(s.t, s.run.Start())
		ended := make(chan struct{})
		go func(run *exec.Cmd) { _ = run.Wait(); close(ended) }(s.run)
		for {
			err := open()
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

// kill ends all of its processes as a crash would.
func (s *ownServer) kill() {
	if s.run != nil {
		_ = syscall.Kill(-s.run.Process.Pid, syscall.SIGKILL) // it may have ended
	}
}

// life is the session of one writer: what was acknowledged last, and what was
// asked for since, without an answer.
type life struct {
	stored, asked core.Record
	ended, ending bool
}

// step saves a next state, or ends the session now and then.
func (l *life) step(ctx context.Context, s *dbstore.Store, n int) error {
	if l.ended {
		*l = life{}
	}
	if l.stored.Version != core.NoVersion && n%7 == 6 {
		l.ending = true
		if err := s.Delete(ctx, l.stored.ID); err != nil {
			return err
		}
		l.ended, l.ending = true, false
		return nil
	}
	prev := l.stored.Version
	l.asked = l.stored
	if prev == core.NoVersion {
		l.asked = core.Record{ID: randomID(), User: "ada", CreatedAt: core.Day, SeenAt: core.Day, ExpiresAt: 2 * core.Day}
	}
	l.asked.Version = randomVersion()
	l.asked.Sealed = fmt.Appendf(nil, "sealed %d", l.asked.Version)
	if err := s.Save(ctx, l.asked, prev); err != nil {
		return err
	}
	l.stored, l.asked = l.asked, core.Record{}
	return nil
}

// settle holds what is stored to what was acknowledged and what may have been
// applied, and goes on from there.
func (l *life) settle(t *testing.T, s *dbstore.Store) {
	id := l.stored.ID
	if id.IsZero() {
		id = l.asked.ID
	}
	if id.IsZero() {
		return
	}
	got, err := s.Load(t.Context(), id)
	switch {
	case errors.Is(err, core.ErrNotFound):
		require.True(t, l.ended || l.ending || l.stored.Version == core.NoVersion, "an acknowledged session is gone")
		*l = life{}
		return
	case err != nil:
		require.NoError(t, err)
	}
	require.False(t, l.ended, "an ended session is back")
	require.Contains(t, []core.Version{l.stored.Version, l.asked.Version}, got.Version, "an acknowledged save is lost")
	require.Equal(t, fmt.Sprintf("sealed %d", got.Version), string(got.Sealed))
	*l = life{stored: got}
}

// The server is killed while it is written to: what it had acknowledged is there,
// and what had ended is not.
func TestAcknowledgedSavesSurviveAServerThatIsKilled(t *testing.T) {
	const writers, acksBetween = 16, 200
	server := newOwnServer(t)
	var s *dbstore.Store
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", server.port)
	open := func() (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if s == nil {
			s, err = Open(ctx, url, Options{Fast: true})
			return err
		}
		_, err = s.Load(ctx, core.ID{1})
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return err
	}
	server.start(open)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	var lives [writers]life
	var acknowledged atomic.Int64
	total := soak.Rounds(t, 3, 200)
	for n := range total {
		var all sync.WaitGroup
		goal := acknowledged.Load() + acksBetween + int64(n%17)
		enough := make(chan struct{})
		var once sync.Once
		for w := range lives {
			all.Go(func() {
				for step := w; lives[w].step(t.Context(), s, step) == nil; step++ {
					if acknowledged.Add(1) >= goal {
						once.Do(func() { close(enough) })
					}
				}
			})
		}
		<-enough
		server.kill()
		all.Wait()
		server.start(open)
		for w := range lives {
			lives[w].settle(t, s)
		}
	}
	t.Logf("%d kills, %d answers, none lost", total, acknowledged.Load())
}
