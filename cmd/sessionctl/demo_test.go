package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoUsage(t *testing.T) {
	for line, want := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"help demo":              {0, "--store STORE", ""},
		"demo --help":            {0, "--trusted-proxy CIDR", ""},
		"demo --store x:":        {2, "", "allowed: memory:, cache, file:, filesystem, file+shared:, sqlite:"},
		"demo --idle -1s":        {2, "", "demo: --idle is -1s; allowed: 0s or more\n"},
		"demo --cleanup 0s":      {2, "", "demo: --cleanup is 0s; allowed: more than 0s\n"},
		"demo --addr 8080":       {2, "", "HOST:PORT"},
		"demo --https":           {2, "", "all three or none"},
		"demo --cert x":          {2, "", "all three or none"},
		"demo --trusted-proxy x": {2, "", "such as 10.0.0.0/8"},
		"demo --store memory: --addr 127.0.0.1:65536": {1, "", "--addr"},
	} {
		t.Run(line, func(t *testing.T) {
			code, stdout, stderr := call{args: strings.Fields(line)}.run(t)
			require.Equal(t, want.code, code, stderr)
			require.Contains(t, stdout, want.stdout)
			require.Contains(t, stderr, want.stderr)
		})
	}
}

func TestDemoNamesABadKeyAndDoesNotShowIt(t *testing.T) {
	code, stdout, stderr := call{args: strings.Fields("demo --store memory: --addr 127.0.0.1:0"), env: []string{"SESSION_ENCRYPTION_KEY=5ec4e7"}}.run(t)
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "32 bytes for AES-256")
	require.NotContains(t, stdout+stderr, "5ec4e7")
}

// A demo that runs as a process of its own.
type process struct {
	cmd *exec.Cmd
	url string
}

func startDemo(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{cmd: call{args: append([]string{"demo", "--addr", "127.0.0.1:0"}, args...), dir: dir}.command(t)}
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.end(os.Kill) })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	p.url = strings.TrimSpace(line)
	return p
}

func (p *process) end(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return err
	}
	return p.cmd.Wait()
}

func get(t *testing.T, c *http.Client, method, url, body string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	a, err := c.Do(q)
	require.NoError(t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a.StatusCode, string(text)
}

func TestDemoSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	p := startDemo(t, dir)
	status, text := get(t, c, "POST", p.url+"api/login", `{"user":"alice","password":"wonderland"}`)
	require.Equal(t, 200, status, text)
	status, text = get(t, c, "PUT", p.url+"api/data/n", "41")
	require.Equal(t, 200, status, text)
	require.Error(t, p.end(os.Kill))

	p = startDemo(t, dir)
	status, text = get(t, c, "GET", p.url+"api/session", "")
	require.Equal(t, 200, status, text)
	require.Contains(t, text, `"user":"alice"`)
	require.Contains(t, text, `"n":41`)
	status, text = get(t, c, "POST", p.url+"api/logout", "")
	require.Equal(t, 200, status, text)
	require.NoError(t, p.end(os.Interrupt), "an interrupt is a good end")

	p = startDemo(t, dir)
	status, text = get(t, c, "GET", p.url+"api/session", "")
	require.Equal(t, 401, status, text)
	require.NoError(t, p.end(os.Interrupt))
}

func TestDemoTellsWhereItIsAlreadyRunning(t *testing.T) {
	p := startDemo(t, t.TempDir(), "--store", "memory:")
	addr := strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/")
	code, stdout, stderr := call{args: []string{"demo", "--store", "memory:", "--addr", addr}}.run(t)
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "choose another address with --addr")
}

func TestLogGoesToStderr(t *testing.T) {
	cmd := call{args: []string{"demo", "--addr", "127.0.0.1:0", "--store", "memory:", "--log"}}.command(t)
	var warn bytes.Buffer
	cmd.Stderr = &warn
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	status, _ := get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "POST", strings.TrimSpace(line)+"api/login", `{"user":"bob","password":"builder"}`)
	require.Equal(t, 200, status)
	require.NoError(t, errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()))
	require.Contains(t, warn.String(), `msg="session login"`)
	require.Contains(t, warn.String(), "user=bob")
	require.NotContains(t, warn.String(), "builder")
}
