//go:build darwin || freebsd || linux

package slots_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

// Other processes are this test binary again, in one of these roles.
const roleVariable = "FSSTORE_SLOTS_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"add":     add,
	"churn":   churn,
	"crowd":   crowd,
	"hold":    hold,
	"rewrite": rewrite,
	"umask":   umask,
	"visitor": visitor,
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

// child is a running process, talked to by lines.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	stdin interface{ Close() error }
}

// start runs a role and kills it at the end of the test if it still runs.
func start(t *testing.T, role string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd: cmd, lines: bufio.NewScanner(stdout), stdin: stdin}
	t.Cleanup(func() { c.kill() })
	return c
}

// kill ends the process as a power failure of its own would: no last word.
func (c *child) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGKILL) // it may have ended
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

// add counts one up in the given session, n times, in the place of its own
// number: "add dir me n". It says "ready", waits, and tells each step.
func add(args []string) error {
	s, err := slots.Open(slots.Options{Dir: args[0]})
	if err != nil {
		return err
	}
	defer s.Close()
	me, n := number(args[1]), number(args[2])
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadByte()
	for done := 0; done < n; {
		r, err := s.Load(context.Background(), shared)
		if err != nil {
			return err
		}
		prev := r.Version
		counts := []byte(string(r.Sealed))
		counts[me]++
		done++
		r.Sealed, r.Version = counts, core.Version(me+1)<<32|core.Version(done)
		switch err := s.Save(context.Background(), r, prev); {
		case err == nil:
			fmt.Println(uint64(prev), uint64(r.Version))
		case errors.Is(err, core.ErrConflict):
			done--
		default:
			return err
		}
	}
	return nil
}

// shared is the session that all adders fight for.
var shared = core.ID{0x77, 1}

// hold locks what is named and says "held": "hold path".
func hold(args []string) error {
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until the parent closes it
	return nil
}

// umask saves one session where no mode is taken away: "umask dir".
func umask(args []string) error {
	syscall.Umask(0)
	s, err := slots.Open(slots.Options{Dir: args[0]})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Save(context.Background(), core.Record{ID: shared, Version: 1}, core.NoVersion)
}

// visitor opens the store as a user who is not root and tries every verb:
// "visitor dir uid". It tells the error of each on a line.
func visitor(args []string) error {
	if uid := number(args[1]); os.Getuid() != uid {
		if err := errors.Join(syscall.Setgid(uid), syscall.Setuid(uid)); err != nil {
			return err
		}
	}
	s, err := slots.Open(slots.Options{Dir: args[0]})
	fmt.Println("open:", err)
	if err != nil {
		return nil
	}
	defer s.Close()
	_, err = s.Load(context.Background(), shared)
	fmt.Println("load:", err)
	fmt.Println("save:", s.Save(context.Background(), core.Record{ID: shared, Version: 2}, core.NoVersion))
	fmt.Println("delete:", s.Delete(context.Background(), shared))
	return nil
}

func number(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		panic(err)
	}
	return n
}
