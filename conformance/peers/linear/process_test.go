package linear_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance/peers/linear"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/rockstar-web/sessions/stores"
	"github.com/stretchr/testify/require"
)

// job is what a child process is told.
type job struct {
	linear.Work
	URL, Log string
	Gathered bool // behind a coalescer, if the store batches
}

const jobVariable = "LINEAR_JOB"

// TestMain makes this binary its own child.
func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(jobVariable); ok {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child works until its standard input ends, which is when its parent is done
// with it, or gone.
func child(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	file, err := os.OpenFile(j.Log, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	store, closer, err := stores.Open(ctx, j.URL)
	if err != nil && ctx.Err() != nil {
		return nil // it was told to end before it began
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	if b, ok := store.(coalesce.Backend); ok && j.Gathered {
		c, err := coalesce.New(b, coalesce.Options{Direct: -1})
		if err != nil {
			return err
		}
		defer c.Close()
		store, j.Exact = c, true
	}
	log := linear.NewLog(file)
	j.Do(ctx, log, store)
	return log.Err()
}

// crew is the child processes on one store.
type crew struct {
	*testing.T
	job
	dir    string
	names  int
	logs   []string
	living []*member
}

type member struct {
	*exec.Cmd
	stdin io.Closer
	log   string
	says  bytes.Buffer
}

func (c *crew) start() {
	c.Helper()
	c.names++
	j := c.job
	j.Name = fmt.Sprint("process ", c.names)
	j.Gathered = c.names%2 == 0
	j.Log = filepath.Join(c.dir, fmt.Sprint(c.names, ".log"))
	text, err := json.Marshal(j)
	require.NoError(c, err)
	m := &member{Cmd: exec.Command(os.Args[0]), log: j.Log}
	m.Env = append(os.Environ(), jobVariable+"="+string(text))
	m.Stdout, m.Stderr = &m.says, &m.says
	m.stdin, err = m.StdinPipe()
	require.NoError(c, err)
	require.NoError(c, m.Start())
	c.logs = append(c.logs, j.Log)
	c.living = append(c.living, m)
}

// kill waits until a child has called a while, and kills it at some moment.
func (c *crew) kill(at int) {
	c.Helper()
	m := c.living[at]
	c.living = slices.Delete(c.living, at, at+1)
	patience := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for size := int64(0); size < 20_000; {
		select {
		case <-tick.C:
		case <-patience:
			_ = m.Process.Kill()
			_ = m.Wait()
			c.Fatalf("a child has hardly called in a minute; it says: %s", &m.says)
		}
		if info, err := os.Stat(m.log); err == nil {
			size = info.Size()
		}
	}
	<-time.After(time.Duration(rand.IntN(100_000)) * time.Microsecond)
	require.NoError(c, m.Process.Kill())
	err := m.Wait()
	require.Equal(c, -1, m.ProcessState.ExitCode(), "a child was not killed, but failed by itself: %v: %s", err, &m.says)
}

func (c *crew) end() {
	for _, m := range c.living {
		_ = m.stdin.Close()
		if err := m.Wait(); err != nil {
			c.Errorf("a child fails: %v: %s", err, &m.says)
		}
	}
	c.living = nil
}

// history reads all logs, and then what is there in the end.
func (c *crew) history(store hosts.Store) []linear.Op {
	var all []linear.Op
	for _, name := range c.logs {
		file, err := os.Open(name)
		require.NoError(c, err)
		ops, err := linear.Read(file)
		require.NoError(c, err)
		require.NoError(c, file.Close())
		all = append(all, ops...)
	}
	var text bytes.Buffer
	log := linear.NewLog(&text)
	last := log.Record(store, "who looks in the end", false)
	seen := map[core.ID]bool{}
	for _, op := range all {
		if !seen[op.ID] {
			seen[op.ID] = true
			_, err := last.Load(c.Context(), op.ID)
			require.True(c, err == nil || isNotFound(err), err)
		}
	}
	final, err := linear.Read(&text)
	require.NoError(c, err)
	return append(all, final...)
}

// Several processes call, and are killed in the middle of it, one after the
// other; others take their places. Where only one may have the store, the next
// finds what the last one left.
func TestLinearAcrossProcesses(t *testing.T) {
	kills := soak.Rounds(t, 2, 12)
	each(t, func(t *testing.T, b backend, url string) {
		if b.processes == 0 {
			t.Log("it does not outlive its process: nothing to test")
			return
		}
		c := &crew{T: t, dir: t.TempDir(), job: job{URL: url, Work: linear.Work{Seed: seed(t), Clients: 3, Began: linear.Now(), Groups: 100_000}}}
		defer c.end()
		for range b.processes {
			c.start()
		}
		for range kills {
			c.kill(rand.IntN(len(c.living)))
			c.start()
		}
		c.kill(0)
		c.end()
		history := c.history(opened(t, url))
		t.Log(len(history), "calls of", c.names, "processes")
		require.NoError(t, linear.Check(history))
	})
}
