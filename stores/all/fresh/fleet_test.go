package fresh

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// binary is the server, built once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sessions-fresh-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "server")
	out, err := exec.Command("go", "build", "-ldflags=-w", "-o", path, "./server").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// process is one server. It keeps its address when it is started again.
type process struct {
	t    *testing.T
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	addr string
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, args: args, addr: "127.0.0.1:0"}
	require.NoError(t, p.run())
	t.Cleanup(p.kill)
	return p
}

func (p *process) run() error {
	path, err := binary()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(path, append([]string{"-addr", p.addr}, p.args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		return fmt.Errorf("the server did not start: %w", err)
	}
	p.cmd, p.addr = cmd, strings.TrimSpace(line)
	return nil
}

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *process) stats() (s hosts.CacheStats) {
	res, err := http.Get("http://" + p.addr + "/stats")
	if err != nil {
		return s
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&s)
	return s
}

// patience bounds one request: a process may be stopped for two seconds, or its store
// gone for ten.
const patience = 30 * time.Second

// client follows nothing and keeps no cookie.
func client() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
}

// call returns the body of an answer, and the session's cookie if it sets one.
func call(c *http.Client, p *process, method, path, cookie string) (body, set string, err error) {
	p.mu.Lock()
	addr := p.addr
	p.mu.Unlock()
	r, err := http.NewRequest(method, "http://"+addr+path, nil)
	if err != nil {
		return "", "", err
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	res, err := c.Do(r)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", res.StatusCode, b)
	}
	for _, field := range res.Cookies() {
		if field.Name == core.DefaultCookieName && field.MaxAge >= 0 {
			set = field.Name + "=" + field.Value
		}
	}
	return string(b), set, err
}
