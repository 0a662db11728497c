package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	"github.com/stretchr/testify/require"
)

// asCommand makes this test binary the command itself, so that what runs is
// built with the race detector.
const asCommand = "SESSIONCTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// exitTime is more than a check takes to remove what it made.
const exitTime = 30 * time.Second

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
	cmd.WaitDelay = exitTime
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

// fileStore names a store in a directory of its own.
func fileStore(t *testing.T) string {
	t.Helper()
	return "file:" + filepath.Join(t.TempDir(), "sessions")
}

// withStore opens a store as a server would.
func withStore(t *testing.T, url string, f func(hosts.Store)) {
	t.Helper()
	store, closer, err := stores.Open(context.Background(), url)
	require.NoError(t, err)
	f(store)
	require.NoError(t, closer.Close())
}

// fill saves records; an ID that is not set is made up.
func fill(t *testing.T, url string, records ...core.Record) {
	t.Helper()
	withStore(t, url, func(s hosts.Store) {
		for _, r := range records {
			require.NoError(t, s.Save(context.Background(), r, core.NoVersion))
		}
	})
}

// record is the nth of a store's, live for a day.
func record(n uint32, user, tenant string) core.Record {
	now := core.Time(time.Now().UnixMilli())
	r := core.Record{Version: core.Version(n) + 1, User: user, Tenant: tenant, CreatedAt: now - core.Hour, SeenAt: now, ExpiresAt: now + core.Day}
	binary.BigEndian.PutUint32(r.ID[:], n*0x9e3779b1) // all over the fanout of a directory
	r.ID[15] = 1
	r.Sealed = bytes.Repeat([]byte{byte(n)}, 100)
	return r
}

// all returns what a store holds, in order.
func all(t *testing.T, url string) []core.Record {
	t.Helper()
	var found []core.Record
	withStore(t, url, func(s hosts.Store) {
		var err error
		found, err = s.(hosts.Finder).Find(context.Background(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
		require.NoError(t, err)
	})
	return found
}

// objects reads a command's JSON.
func objects(t *testing.T, text string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(text) {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &o), line)
		list = append(list, o)
	}
	return list
}

func byID(records []core.Record) []core.Record {
	sorted := slices.Clone(records)
	slices.SortFunc(sorted, func(a, b core.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return sorted
}

// on calls a verb over a store. Flags come first.
func on(t *testing.T, url, verb string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return call{args: append([]string{verb, "--store", url}, args...)}.run(t)
}

func exported(t *testing.T, url string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "all.rwsexp")
	code, _, stderr := on(t, url, "export", file)
	require.Zero(t, code, stderr)
	return file
}
