package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // "sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl"
)

// looking are the commands that make no store.
func looking(t *testing.T) [][]string {
	file := filepath.Join(t.TempDir(), "empty.rwsexp")
	from := fileStore(t)
	fill(t, from)
	code, _, stderr := on(t, from, "export", file)
	require.Zero(t, code, stderr)
	id := core.ID{1}.String()
	return [][]string{
		{"list"}, {"show", id}, {"end", id}, {"end-all", "--all-tenants"}, {"sweep"}, {"export", file + "2"}, {"import", file}, {"doctor"},
	}
}

// look calls such a command over what is no store.
func look(t *testing.T, args []string, url string) string {
	t.Helper()
	env := []string{"SESSION_STORE=" + url, "SESSION_ENCRYPTION_KEY=" + testKey}
	code, stdout, stderr := call{args: args, env: env}.run(t)
	require.Equal(t, 1, code, "%s: %s%s", args, stdout, stderr)
	if args[0] != "doctor" {
		require.Empty(t, stdout, args)
		require.Regexp(t, "^sessionctl: (.*; )?name the right one with --store; sessionctl migrate makes a store or brings it up to date(: .*)?\n", stderr)
	} else {
		require.Contains(t, stdout, "remedy: name the right one with --store; sessionctl migrate makes a store or brings it up to date\n")
	}
	return stdout + stderr
}

// Other programs' places stay as they are, and nobody is told that they hold no
// sessions.
func TestLookingWritesNothing(t *testing.T) {
	dir := t.TempDir()
	etc, shop := filepath.Join(dir, "etc"), filepath.Join(dir, "shop.db")
	require.NoError(t, os.Mkdir(etc, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(etc, "passwd"), nil, 0o600))
	db, err := sql.Open("sqlite3", "file:"+shop)
	require.NoError(t, err)
	_, err = db.Exec("CREATE TABLE sessions (id INTEGER PRIMARY KEY)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	state := func() (found []string) {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := d.Info()
			require.NoError(t, err)
			text := []byte("directory")
			if !d.IsDir() {
				text, err = os.ReadFile(path)
				require.NoError(t, err)
			}
			found = append(found, path+info.ModTime().Format(time.RFC3339Nano)+string(text))
			return nil
		}))
		return found
	}
	before := state()
	for _, args := range looking(t) {
		for url, want := range map[string]string{
			"file:" + etc:          "the directory " + etc + " has no sessions",
			"file+shared:" + etc:   "the directory " + etc + " has no sessions",
			"file:" + etc + "2":    "there is no store at ",
			"sqlite:" + shop:       "the database " + shop + " has no sessions: the table sessions_schema is not in it",
			"sqlite:" + shop + "2": "there is no store at ",
		} {
			require.Contains(t, look(t, args, url), want)
			require.Equal(t, before, state(), "%s %s", args, url)
		}
	}
}

// A database that is not ours, or whose tables are older than this program,
// stays as it is until migrate is called.
func TestLookingMigratesNothing(t *testing.T) {
	for name, server := range map[string]func(testing.TB) string{"postgres": servers.Postgres, "mysql": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			url := table(t, server(t))
			for _, args := range looking(t) {
				for _, more := range []string{"", "&migrate=true"} {
					require.Contains(t, look(t, args, url+more), "has schema version 0", "%s: an earlier call made none", args)
				}
			}
			code, stdout, stderr := on(t, url+"&migrate=false", "migrate")
			require.Zero(t, code, stderr)
			require.Equal(t, "the schema is up to date\n", stdout)
			code, _, stderr = on(t, url, "list")
			require.Zero(t, code, stderr)
		})
	}
}

// What nobody could open is wrong usage.
func TestNamesOfNoStore(t *testing.T) {
	dir := t.TempDir()
	for url, want := range map[string]string{
		"file:sessions?fast=true":               "allowed: file:PATH without options",
		"file+shared:sessions?fast=true":        "allowed: file+shared:PATH without options",
		"sqlite:x.db?table=foo":                 "allowed: sqlite:PATH without options",
		"postgres://u:hush@h/d?max_conns=-1":    "MaxConns",
		"mysql://u:hush@h/d?max_conns=-1":       "MaxConns",
		"postgres://u:hush@h/d?migrate=perhaps": "migrate",
	} {
		for _, verb := range []string{"list", "migrate", "check", "doctor"} {
			code, _, stderr := call{args: []string{verb, "--store", url}, dir: dir}.run(t)
			require.Equal(t, 2, code, "%s %s: %s", verb, url, stderr)
			require.Contains(t, stderr, want)
			require.NotContains(t, stderr, "hush")
		}
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestCheckMakesNoDirectories(t *testing.T) {
	dir := t.TempDir()
	for _, url := range []string{"file:no/such/dir/s", "sqlite:no2/such/x.db"} {
		code, stdout, stderr := call{args: []string{"check", url}, dir: dir}.run(t)
		require.Equal(t, 1, code, stdout)
		require.Contains(t, stderr, "there is no directory")
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestCheckWithALongPrefix(t *testing.T) {
	long := parameter(servers.Redis(t), "prefix", strings.Repeat("p", 64))
	ctx, cancel := context.WithCancel(t.Context())
	out := &interrupter{interrupt: cancel}
	var warn strings.Builder
	p := &sessionctl.Program{Out: out, Err: &warn, Now: time.Now}
	require.Equal(t, 1, p.Run(ctx, []string{"check", long}))
	require.Contains(t, out.String(), "promises kept: 1, broken: 0")
	require.Equal(t, "sessionctl: check: interrupted\n", warn.String())
}

// interrupter ends a context at the first line that is written.
type interrupter struct {
	strings.Builder
	interrupt func()
}

func (w *interrupter) Write(p []byte) (int, error) {
	w.interrupt()
	return w.Builder.Write(p)
}

func TestDoctorOfAnUnreadableDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "unreadable.db")
	withStore(t, "sqlite:"+file, func(hosts.Store) {})
	require.NoError(t, os.Chmod(file, 0))
	code, stdout, stderr := call{args: []string{"doctor", "--store", "sqlite:" + file}, env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
	require.Equal(t, 1, code, stdout+stderr)
	require.Contains(t, stdout, "FINDING  store")
}
