package deploy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	top = ".." // of the repository
	key = "9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53"
)

// call runs a program to its end, and returns what it printed.
func call(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := output(dir, env, name, args...)
	require.NoError(t, err)
	return out
}

var scratch string // for what several tests share

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "sessions-deploy-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// server is a running gateway or demo.
type server struct {
	url, admin string // without a slash at the end
}

// start runs a command that prints its URL, and stops it at the test's end, in
// order: that it can be stopped is tested, too.
func start(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		_ = w.Close()
	}()
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, <-ended, "it ends in order")
	})
	s := &server{}
	lines := bufio.NewScanner(r)
	var said strings.Builder
	for s.url == "" && lines.Scan() {
		line := lines.Text()
		said.WriteString(line + "\n")
		if _, admin, ok := strings.Cut(line, "health and metrics on "); ok {
			s.admin = strings.TrimSuffix(admin, "/")
		} else if strings.HasPrefix(line, "http") {
			s.url = strings.TrimSuffix(line, "/")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if s.url == "" {
		err := <-ended
		ended <- nil
		require.FailNow(t, "it has not begun", "%q: %v\n%s", cmd.Args, err, &said)
	}
	return s
}

// ask sends one request, and returns the status and the body.
func ask(t *testing.T, client *http.Client, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := client.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a.StatusCode, string(text)
}

// do is call for what several tests share.
func do(dir string, env []string, name string, args ...string) error {
	_, err := output(dir, env, name, args...)
	return err
}

func output(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %q: %w: %s%s", name, args, err, &out, &errs)
	}
	return out.String(), nil
}
