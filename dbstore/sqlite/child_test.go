package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
)

// Other processes are this test binary again, in one of these roles.
const roleVariable = "SQLITE_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"churn": churn,
	"count": count,
	"move":  move,
	"open":  openAndSave,
	"verbs": verbs,
}

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(roleVariable)
	if !ok {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// child is another process, which tells what it does line by line.
type child struct {
	*exec.Cmd
	said *bufio.Scanner
}

// start runs a role; at the end of the test it is killed if it still runs.
func start(t *testing.T, role string, args ...any) *child {
	t.Helper()
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = fmt.Sprint(a)
	}
	cmd := exec.Command(os.Args[0], words...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd, bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	return c
}

// kill is kill -9. What the child had said is still to be read before.
func (c *child) kill() {
	_ = c.Process.Kill() // it may have ended
	_ = c.Wait()
}

// line waits for the next line.
func (c *child) line(t *testing.T) string {
	t.Helper()
	require.True(t, c.said.Scan(), "the child said no more: %v", c.said.Err())
	return c.said.Text()
}

// rest returns what the child says until it ends.
func (c *child) rest() (all []string) {
	for c.said.Scan() {
		all = append(all, c.said.Text())
	}
	return all
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// openAndSave saves one session with no mode taken away: "open path".
func openAndSave(args []string) error {
	noUmask()
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Save(context.Background(), sessionOne, core.NoVersion)
}

// verbs tells the error of each verb, as a user who is not root: "verbs path uid".
func verbs(args []string) error {
	if err := become(number(args[1])); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := sqlite.Open(ctx, args[0], sqlite.Options{})
	fmt.Println("open:", err)
	if err != nil {
		return nil
	}
	defer s.Close()
	_, err = s.Load(ctx, sessionOne.ID)
	fmt.Println("load:", err)
	return nil
}

// sessionOne and sessionTwo are two states of one session.
var (
	sessionOne = core.Record{ID: core.ID{1}, Version: 1, User: "ada", Sealed: []byte("one")}
	sessionTwo = core.Record{ID: core.ID{1}, Version: 2, User: "ada", Sealed: []byte("two")}
)
