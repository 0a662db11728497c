package reads

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tick = 10 * time.Millisecond // of /proc/PID/stat, as sysconf(_SC_CLK_TCK) has it on Linux

// binary is the server, built once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sessions-reads-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "server")
	out, err := exec.Command("go", "build", "-o", path, "./server").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// server is a process that answers, with the cookies of those who are signed in.
type server struct {
	b       *testing.B
	pid     int
	url     string
	client  *http.Client
	cookies []string
}

func start(b *testing.B, visitors int, args ...string) *server {
	b.Helper()
	path, err := binary()
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	s := &server{b: b, pid: cmd.Process.Pid, url: "http://" + strings.TrimSpace(line),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}}
	for range visitors {
		res, err := s.client.Post(s.url+"/login", "", nil)
		require.NoError(b, err)
		_ = res.Body.Close()
		cookie := ""
		for _, c := range res.Cookies() {
			if !strings.HasSuffix(c.Name, "_changed") {
				cookie = c.Name + "=" + c.Value
			}
		}
		s.cookies = append(s.cookies, cookie)
	}
	return s
}

// ask makes n requests by so many connections at once.
func (s *server) ask(n int, method, path string) {
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() {
			for i := c; i < n; i += connections {
				r, _ := http.NewRequest(method, s.url+path, nil)
				if len(s.cookies) > 0 {
					r.Header.Set("Cookie", s.cookies[i%len(s.cookies)])
				}
				res, err := s.client.Do(r)
				if err != nil {
					s.b.Error(err)
					return
				}
				if res.StatusCode != http.StatusOK {
					s.b.Error(res.Status)
				}
				_ = res.Body.Close()
			}
		})
	}
	all.Wait()
}

// stat returns the parent of a process and the CPU time of it and of its children that
// have ended.
func stat(pid int) (parent int, cpu time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	_, rest, _ := bytes.Cut(text, []byte(") "))
	fields := strings.Fields(string(rest)) // from the third on: proc(5)
	parent, _ = strconv.Atoi(fields[1])
	for _, f := range fields[11:15] {
		n, _ := strconv.Atoi(f)
		cpu += time.Duration(n) * tick
	}
	return parent, cpu, true
}

// cpuOf returns the CPU time of processes and of their children.
func cpuOf(pids ...int) (sum time.Duration) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if parent, cpu, ok := stat(pid); ok && (slices.Contains(pids, pid) || slices.Contains(pids, parent)) {
			sum += cpu
		}
	}
	return sum
}
