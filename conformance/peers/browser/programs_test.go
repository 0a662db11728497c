package browser

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

// built builds a program of another module, once for all tests, and returns its path.
func built(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(scratch, filepath.Base(program))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	build := exec.Command("go", "build", "-o", path, program)
	build.Dir = "../../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// command returns the path of sessionctl.
func command(t *testing.T) string {
	t.Helper()
	return built(t, "./cmd/sessionctl")
}

// demo runs the command's demo as a user would and returns its address.
func demo(t *testing.T, args ...string) (url string) {
	t.Helper()
	cmd := exec.Command(command(t), append([]string{"demo", "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = t.TempDir()
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if i := strings.Index(lines.Text(), "http"); i >= 0 {
			url, _, _ = strings.Cut(lines.Text()[i:], " ")
			go func() { // keep the pipe from filling up
				for lines.Scan() {
				}
			}()
			return strings.TrimRight(url, "/")
		}
	}
	t.Fatal("the demo printed no address")
	return ""
}
