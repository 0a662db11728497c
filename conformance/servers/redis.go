package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// OwnRedis is a Redis server or sentinel that a test has for itself: it may kill it, stop
// it and start it again. It ends with the test.
type OwnRedis struct {
	Port     int
	Password string // for Shows

	args []string
	tls  bool
	cmd  *exec.Cmd
}

// NewRedis starts a server that keeps its data in a directory of its own, if at all. In
// args PORT stands for its port.
func NewRedis(t testing.TB, args ...string) *OwnRedis {
	t.Helper()
	p := &OwnRedis{Port: FreePort(t)}
	p.args = append([]string{Program(t, "redis-server"), "--port", strconv.Itoa(p.Port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--enable-debug-command", "yes"}, args...)
	for i, a := range p.args {
		if a == "PORT" {
			p.args[i], p.tls = strconv.Itoa(p.Port), p.args[i-1] == "--tls-port"
		}
	}
	p.Begin(t)
	t.Cleanup(p.Kill)
	return p
}

// Program finds a command of the server's package, or skips the test.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed; apt-get install redis-server", name)
	default:
		t.Skipf("SKIPPED, NOT TESTED: %s is not installed; apt-get install redis-server", name)
	}
	return path
}

// Begin starts it again, with more arguments.
func (p *OwnRedis) Begin(t testing.TB, more ...string) {
	t.Helper()
	p.cmd = exec.Command(p.args[0], append(p.args[1:len(p.args):len(p.args)], more...)...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	require.NoError(t, p.cmd.Start())
	Eventually(t, "the server answers", p.answers)
}

func (p *OwnRedis) answers() bool {
	if p.tls {
		c, err := p.dial()
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	_, err := p.ask([]string{"PING"})
	return err == nil || strings.HasPrefix(err.Error(), "-NOAUTH")
}

func (p *OwnRedis) dial() (net.Conn, error) { return net.DialTimeout("tcp", p.Address(), time.Second) }

// Kill ends it as a crash does.
func (p *OwnRedis) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Freeze has it answer nothing until the returned function is called.
func (p *OwnRedis) Freeze(t testing.TB) (thaw func()) {
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGSTOP))
	return func() { require.NoError(t, p.cmd.Process.Signal(syscall.SIGCONT)) }
}

// Address is its host and port.
func (p *OwnRedis) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)) }

// Shows reports whether the answer to a command, which may be no list, has a text. A server
// that is taking over another's place cuts its clients off.
func (p *OwnRedis) Shows(t testing.TB, text string, words ...string) bool {
	t.Helper()
	commands := [][]string{words}
	if p.Password != "" {
		commands = [][]string{{"AUTH", p.Password}, words}
	}
	answer, err := p.ask(commands...)
	return err == nil && strings.Contains(answer, text)
}

// ask returns the last answer. It speaks RESP itself: a test asks often, and to start
// redis-cli each time takes longer.
func (p *OwnRedis) ask(commands ...[]string) (answer string, err error) {
	c, err := p.dial()
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	in := bufio.NewReader(c)
	for _, words := range commands {
		fmt.Fprintf(c, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(c, "$%d\r\n%s\r\n", len(w), w)
		}
		if answer, err = reply(in); err != nil {
			return "", err
		}
	}
	return answer, nil
}

// reply reads one that is no list.
func reply(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if strings.HasPrefix(line, "-") {
		return "", errors.New(line)
	}
	if !strings.HasPrefix(line, "$") {
		return strings.TrimLeft(line, "+:"), nil
	}
	size, err := strconv.Atoi(line[1:])
	if err != nil || size < 0 { // -1 is nil
		return "", err
	}
	text := make([]byte, size)
	_, err = io.ReadFull(in, text)
	return string(text), err
}

// Replica starts a server that follows this one, and returns when it is in step.
func (p *OwnRedis) Replica(t testing.TB) *OwnRedis {
	t.Helper()
	r := NewRedis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(p.Port), "--repl-diskless-sync-delay", "0")
	Eventually(t, "the replica is in step, and the primary knows", func() bool {
		return r.Shows(t, "master_link_status:up", "INFO", "replication") && p.Shows(t, "port="+strconv.Itoa(r.Port)+",state=online", "INFO", "replication")
	})
	return r
}

// Sentinel starts one that watches this server under the name main, and promotes a
// replica half a second after it has gone.
func (p *OwnRedis) Sentinel(t testing.TB) *OwnRedis {
	t.Helper()
	s := &OwnRedis{Port: FreePort(t)}
	path := filepath.Join(t.TempDir(), "sentinel.conf")
	config := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor main 127.0.0.1 %d 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n", s.Port, t.TempDir(), p.Port)
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	s.args = []string{Program(t, "redis-server"), path, "--sentinel"}
	s.Begin(t)
	t.Cleanup(s.Kill)
	return s
}

// Eventually waits half a minute at most for what no program reports.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, 30*time.Second, 25*time.Millisecond, what)
}
