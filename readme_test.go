package sessions_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The server in the README is built as it stands there, run and visited twice.
func TestReadmeServer(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```go\npackage main")
	require.True(t, ok)
	code, _, _ := strings.Cut("package main"+rest, "```")
	// A free port, which the server then tells, in place of the one in the text.
	free := strings.Replace(code, `log.Fatal(http.ListenAndServe("localhost:8080", nil))`,
		`l := must(net.Listen("tcp", "127.0.0.1:0")); fmt.Println(l.Addr()); log.Fatal(http.Serve(l, nil))`, 1)
	require.NotEqual(t, code, free)
	free = strings.Replace(free, `"net/http"`, `"net"`+"\n\t"+`"net/http"`, 1)

	dir, err := os.MkdirTemp(".", "readme-test-") // inside the module, for its imports
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(free), 0o600))
	bin := filepath.Join(t.TempDir(), "server")
	out, err := exec.Command("go", "build", "-o", bin, "./"+dir).CombinedOutput()
	require.NoError(t, err, string(out))

	cmd := exec.Command(bin)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "SESSION_ENCRYPTION_KEY="+fmt.Sprintf("%x", "a key of 32 bytes for this test:"))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := http.Client{Jar: jar}
	for n := 1; n <= 2; n++ {
		resp, err := c.Get("http://" + strings.TrimSpace(addr))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, fmt.Sprintf("visit %d\n", n), string(body))
	}
}
