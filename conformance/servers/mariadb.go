package servers

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// NewMariaDB starts a MariaDB that a test has for itself, to change settings of the
// whole server, and returns its URL. It stops with the test. The script that starts
// the shared servers starts it, with all others named.
func NewMariaDB(t testing.TB) string {
	t.Helper()
	Program(t, "mariadb-install-db")
	script := exec.Command(scriptOfServers(t), "up")
	script.Env = append(os.Environ(), "SESSIONS_SERVERS=", "TEST_MYSQL_DSN=",
		"TEST_POSTGRES_DSN=named", "TEST_REDIS_URL=named", "TEST_REDIS_CLUSTER_URL=named")
	out, err := script.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, script.Start())
	t.Cleanup(func() {
		require.NoError(t, script.Process.Signal(syscall.SIGTERM))
		_ = script.Wait() // its status is that of the signal
	})
	const name = "export TEST_MYSQL_DSN="
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name); ok {
			return strings.Trim(value, "'")
		}
	}
	t.Fatalf("%s up has printed no URL of MariaDB", script.Path)
	return ""
}

// scriptOfServers looks in the test's folder and in those above it.
func scriptOfServers(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		script := filepath.Join(dir, ".ci", "servers")
		if _, err := os.Stat(script); err == nil {
			return script
		}
		above := filepath.Dir(dir)
		if above == dir {
			t.Fatal("no .ci/servers in a folder above the test: run it within a checkout of this project")
		}
		dir = above
	}
}
