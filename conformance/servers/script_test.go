package servers_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	script   = "../../.ci/servers"
	patience = 30 * time.Second
	often    = 20 * time.Millisecond
)

// call runs the script with variables of its own: those of other servers are
// taken, so that it starts one Redis alone.
func call(t *testing.T, more []string, name string, args ...string) (cmd *exec.Cmd, dir string) {
	t.Helper()
	for _, need := range []string{"bash", "redis-server"} {
		if _, err := exec.LookPath(need); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v; make test installs it", err)
			}
			t.Skipf("SKIPPED, NOT TESTED: the script that starts servers needs %s", need)
		}
	}
	dir = t.TempDir()
	cmd = exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "SESSIONS_SERVERS=", "TEST_REDIS_URL=", "TEST_POSTGRES_DSN=p", "TEST_MYSQL_DSN=m", "TEST_REDIS_CLUSTER_URL=c", "TMPDIR="+dir)
	cmd.Env = append(cmd.Env, more...)
	cmd.Stderr = os.Stderr
	return cmd, dir
}

func TestTheCommandRunsWithinServers(t *testing.T) {
	cmd, dir := call(t, nil, script, "run", "sh", "-c", `echo "$TEST_REDIS_URL $TEST_POSTGRES_DSN"; exit 7`)
	out, err := cmd.Output()
	var status *exec.ExitError
	require.ErrorAs(t, err, &status)
	require.Equal(t, 7, status.ExitCode(), "the status is the command's")
	require.Regexp(t, `^redis://127\.0\.0\.1:2\d{4} p\n$`, string(out))
	empty(t, dir)
}

func TestWhatIsNamedIsNotStarted(t *testing.T) {
	for _, own := range []string{"TEST_REDIS_URL=redis://elsewhere", "SESSIONS_SERVERS=up"} {
		cmd, _ := call(t, []string{own}, script, "run", "sh", "-c", `printf %s "$TEST_REDIS_URL"`)
		out, err := cmd.Output()
		require.NoError(t, err)
		require.NotContains(t, string(out), "127.0.0.1")
	}
	cmd, _ := call(t, nil, script, "walk")
	out, err := cmd.Output()
	require.Error(t, err)
	require.Contains(t, string(out), "run CMD", "its usage")
}

// TestServersEndWithWhoeverStartedThem: nothing may be left running, whichever
// process is ended, and however.
func TestServersEndWithWhoeverStartedThem(t *testing.T) {
	forever := `echo "$TEST_REDIS_URL"; exec tail -f /dev/null`
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		argv   []string
	}{
		{"ended", syscall.SIGTERM, []string{script, "run", "sh", "-c", forever}},
		{"interrupted", syscall.SIGINT, []string{script, "run", "sh", "-c", forever}},
		{"killed", syscall.SIGKILL, []string{script, "run", "sh", "-c", forever}},
		{"caller killed", syscall.SIGKILL, []string{"sh", "-c", script + ` run sh -c '` + forever + `'; true`}},
		{"environment printed", syscall.SIGINT, []string{script, "up"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd, dir := call(t, nil, c.argv[0], c.argv[1:]...)
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			heard := make(chan os.Signal, 1)
			signal.Notify(heard, os.Interrupt) // else a script begun where interrupts are ignored could not hear its own
			require.NoError(t, cmd.Start())
			signal.Stop(heard)
			lines := bufio.NewReader(stdout)
			address := ""
			for address == "" {
				line, err := lines.ReadString('\n')
				require.NoError(t, err)
				_, address, _ = strings.Cut(strings.Trim(line, "'\n"), "redis://")
			}
			answers := func() bool {
				conn, err := net.Dial("tcp", address)
				if err == nil {
					conn.Close()
				}
				return err == nil
			}
			require.True(t, answers(), address)
			require.NoError(t, cmd.Process.Signal(c.signal))
			defer time.AfterFunc(patience, func() { stdout.Close() }).Stop()
			_, err = io.Copy(io.Discard, lines)
			require.NoError(t, err) // nobody writes any more: the command has ended, too
			require.Error(t, cmd.Wait())
			require.Eventually(t, func() bool { return !answers() }, patience, often)
			empty(t, dir)
		})
	}
}

// empty waits until the servers' folder is gone, which the watchdog removes last.
func empty(t *testing.T, dir string) {
	t.Helper()
	require.Eventually(t, func() bool {
		left, err := os.ReadDir(dir)
		return err == nil && len(left) == 0
	}, patience, often)
}
