//go:build darwin || freebsd || linux

package seglog

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// Other processes are this test binary again, in one of these roles.
const roleVariable = "FSSTORE_SEGLOG_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"churn": churn,
	"ends":  endsOnly,
	"fill":  fillOnly,
	"open":  openOnly,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// child is a running process that says lines.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

// start runs a role and kills it at the end of the test if it still runs.
func start(t *testing.T, role string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd: cmd, lines: bufio.NewScanner(stdout)}
	t.Cleanup(c.kill)
	return c
}

// kill ends the process as a power failure of its own would: no last word.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.cmd.Wait()
}

// line waits for the next line.
func (c *child) line(t *testing.T) string {
	t.Helper()
	require.True(t, c.lines.Scan(), "the child said no more: %v", c.lines.Err())
	return c.lines.Text()
}

// rest returns what the child still says until it ends.
func (c *child) rest() []string {
	var all []string
	for c.lines.Scan() {
		all = append(all, c.lines.Text())
	}
	return all
}

// fillOnly saves sessions without a sync, says "saved", and stays: "fill dir".
func fillOnly(args []string) error {
	s, err := Open(Options{Dir: args[0], Fast: true})
	if err != nil {
		return err
	}
	for n := byte(1); n <= 20; n++ {
		if err := s.Save(context.Background(), sample(n, 100), core.NoVersion); err != nil {
			return err
		}
	}
	fmt.Println("saved")
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR1)
	<-never
	return nil
}

// fullRecord is one of those that fill a disk.
func fullRecord(n int) core.Record {
	r := core.Record{Version: 1, ExpiresAt: core.Time(n), Sealed: make([]byte, 200)}
	binary.LittleEndian.PutUint64(r.ID[:], (uint64(n)+1)*0x9e3779b97f4a7c15)
	return r
}

// endsOnly ends the sessions that fillWhole has saved, from a number on, and tells
// each: "ends dir from".
func endsOnly(args []string) error {
	s, err := Open(Options{Dir: args[0], Logger: quiet})
	if err != nil {
		return err
	}
	var next atomic.Int64
	next.Store(int64(number(args[1])))
	failed := make(chan error)
	for range churnWriters {
		go func() {
			for {
				n := int(next.Add(1)) - 1
				if err := s.Delete(context.Background(), fullRecord(n).ID); err != nil {
					failed <- fmt.Errorf("session %d: %w", n, err)
				}
				fmt.Println(n)
			}
		}()
	}
	return <-failed
}

// openOnly tells what Open says: "open dir".
func openOnly(args []string) error {
	s, err := Open(Options{Dir: args[0]})
	fmt.Println("open:", err)
	if err != nil {
		return nil
	}
	return s.Close()
}

func number(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		panic(err)
	}
	return n
}
