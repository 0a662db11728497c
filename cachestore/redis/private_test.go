package redis

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// eventually polls, for what no program can tell.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, patience, 5*time.Millisecond, what)
}

// program finds a command of the server's package.
func program(t testing.TB, name string) string {
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

// process is a private server, which a test may kill, stop and start again.
type process struct {
	port     int
	args     []string
	password string // for do
	tls      bool
	cmd      *exec.Cmd
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start starts a server that keeps its data in a directory of its own, if at
// all. In args PORT stands for its port. It ends with the test.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{port: freePort(t)}
	p.args = append([]string{program(t, "redis-server"), "--port", strconv.Itoa(p.port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--enable-debug-command", "yes"}, args...)
	for i, a := range p.args {
		if a == "PORT" {
			p.args[i], p.tls = strconv.Itoa(p.port), p.args[i-1] == "--tls-port"
		}
	}
	p.begin(t)
	t.Cleanup(p.kill)
	return p
}

func (p *process) begin(t testing.TB) {
	t.Helper()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	require.NoError(t, p.cmd.Start())
	eventually(t, "the server answers", p.answers)
}

func (p *process) answers() bool {
	c, err := net.DialTimeout("tcp", p.address(), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	if p.tls {
		return true
	}
	_ = c.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprint(c, "PING\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && (strings.HasPrefix(line, "+PONG") || strings.HasPrefix(line, "-NOAUTH"))
}

// kill ends it as a crash does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// freeze has it answer nothing until the returned function is called.
func (p *process) freeze(t testing.TB) (thaw func()) {
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGSTOP))
	return func() { require.NoError(t, p.cmd.Process.Signal(syscall.SIGCONT)) }
}

func (p *process) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

func (p *process) url() string { return "redis://" + p.address() }

// do runs a command on the server itself and returns its answer as text.
func (p *process) do(t testing.TB, words ...string) string {
	t.Helper()
	m, err := p.try(t, words...)
	require.NoError(t, err, words)
	return m
}

// shows reports whether the answer has the given text. A server that is taking
// over another's place cuts its clients off.
func (p *process) shows(t testing.TB, text string, words ...string) bool {
	answer, err := p.try(t, words...)
	return err == nil && strings.Contains(answer, text)
}

func (p *process) try(t testing.TB, words ...string) (string, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{p.address()}, Password: p.password, AlwaysRESP2: true, ForceSingleClient: true, DisableCache: true, DisableRetry: true})
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := c.Do(ctx, c.B().Arbitrary(words...).Build()).ToMessage()
	if err != nil {
		return "", err
	}
	if n, err := m.AsInt64(); err == nil && m.IsInt64() {
		return strconv.FormatInt(n, 10), nil
	}
	if list, err := m.AsStrSlice(); err == nil {
		return strings.Join(list, " "), nil
	}
	return m.ToString()
}
