package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand makes this test binary the command itself, so that what runs is
// built with the race detector.
const asCommand = "SESSIONCTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if peak := os.Getenv(peakFile); peak != "" {
		os.Exit(measured(peak))
	}
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// runTime is more than any of the calls here takes, on a busy machine too.
const runTime = 5 * time.Minute

const testKey = "8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121"

// A call of the command.
type call struct {
	args  []string
	stdin string
	env   []string
	dir   string
}

func (c call) command(t *testing.T) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, c.args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // a check removes what it made
	cmd.WaitDelay = dropTimeout
	// The race detector would wait for a second at each exit.
	cmd.Env = append([]string{asCommand + "=1", "GORACE=atexit_sleep_ms=0", "TMPDIR=" + os.TempDir()}, c.env...)
	cmd.Dir = c.dir
	if c.dir == "" {
		cmd.Dir = t.TempDir()
	}
	cmd.Stdin = strings.NewReader(c.stdin)
	return cmd
}

func (c call) run(t *testing.T) (code int, stdout, stderr string) {
	t.Helper()
	cmd := c.command(t)
	var out, warn bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &warn
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.ExitCode(), out.String(), warn.String()
}

func TestUsage(t *testing.T) {
	for line, want := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"help":                   {0, "sessionctl COMMAND", ""},
		"--help":                 {0, "Exit codes: 0 fine, 1 something is wrong, 2 wrong usage", ""},
		"-h":                     {0, "SESSION_ENCRYPTION_KEY", ""},
		"help demo":              {0, "--store STORE", ""},
		"demo --help":            {0, "--trusted-proxy CIDR", ""},
		"inspect -h":             {0, "[COOKIE]", ""},
		"help keygen":            {0, "and nothing else", ""},
		"help doctor":            {0, "SESSION_ENCRYPTION_KEY", ""},
		"":                       {2, "", "no command is given; allowed: keygen, inspect, list, show, end, end-all, sweep, migrate, export, import,"},
		"brew":                   {2, "", `unknown command "brew"`},
		"help brew":              {2, "", `unknown command "brew"`},
		"keygen --bits 512":      {2, "", "see sessionctl help keygen"},
		"keygen now":             {2, "", "1 arguments too many"},
		"demo --store x:":        {2, "", "allowed: memory:, cache, file:DIR, filesystem"},
		"demo --idle -1s":        {2, "", "IdleTimeout"},
		"demo --addr 8080":       {2, "", "HOST:PORT"},
		"demo --https":           {2, "", "all three or none"},
		"demo --cert x":          {2, "", "all three or none"},
		"demo --trusted-proxy x": {2, "", "such as 10.0.0.0/8"},
		"demo --store memory: --addr 127.0.0.1:65536": {1, "", "--addr"},
		"inspect --now noon":                          {2, "", "2026-05-04T03:02:01Z"},
		"inspect a b":                                 {2, "", "one cookie"},
		"inspect a":                                   {2, "", "--key-file"},
		"doctor --samesite no":                        {2, "", "Lax, Strict, None"},
		"doctor --url example.com":                    {2, "", "http:// or https://"},
		"doctor --store x:":                           {2, "", "allowed: memory:"},
	} {
		t.Run(line, func(t *testing.T) {
			code, stdout, stderr := call{args: strings.Fields(line)}.run(t)
			require.Equal(t, want.code, code, stderr)
			require.Contains(t, stdout, want.stdout)
			require.Contains(t, stderr, want.stderr)
			if want.stderr != "" {
				lines := strings.Split(strings.TrimSpace(stderr), "\n")
				require.Regexp(t, `^sessionctl: `, lines[len(lines)-1])
			}
			if want.code == 0 {
				require.Empty(t, stderr)
			}
		})
	}
}

func TestKeygen(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		code, stdout, stderr := call{args: []string{"keygen"}}.run(t)
		require.Zero(t, code)
		require.Empty(t, stderr)
		require.Regexp(t, `^[0-9a-f]{64}\n$`, stdout)
		require.False(t, seen[stdout])
		seen[stdout] = true
		code, _, stderr = call{args: []string{"doctor", "--store", "memory:"}, env: []string{"SESSION_ENCRYPTION_KEY=" + stdout[:64]}}.run(t)
		require.Zero(t, code, stderr)
	}
}

func TestABadKeyIsNamedAndNotShown(t *testing.T) {
	for _, args := range []string{"inspect x", "demo --store memory: --addr 127.0.0.1:0"} {
		code, stdout, stderr := call{args: strings.Fields(args), env: []string{"SESSION_ENCRYPTION_KEY=5ec4e7"}}.run(t)
		require.Equal(t, 2, code)
		require.Contains(t, stderr, "SESSION_ENCRYPTION_KEY")
		require.Contains(t, stderr, "32 bytes for AES-256")
		require.NotContains(t, stdout+stderr, "5ec4e7")
	}
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

func TestEveryCommandIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/sessionctl.md")
	require.NoError(t, err)
	for _, c := range commands() {
		require.Regexp(t, "(?m)^## .*\\b"+c.name+"\\b|`(sessionctl )?"+c.name+"`", string(text), c.name)
		require.NotEmpty(t, c.brief, c.name)
		require.NotEmpty(t, c.about, c.name)
	}
}
