package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// backends are names of stores, each of a fresh namespace.
var backends = map[string]func(t *testing.T) string{
	"file":          func(t *testing.T) string { return fileStore(t) },
	"file+shared":   func(t *testing.T) string { return "file+shared:" + filepath.Join(t.TempDir(), "sessions") },
	"sqlite":        func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db") },
	"postgres":      func(t *testing.T) string { return table(t, servers.Postgres(t)) },
	"mysql":         func(t *testing.T) string { return table(t, servers.MySQL(t)) },
	"redis":         func(t *testing.T) string { return prefix(t, servers.Redis(t)) },
	"redis+cluster": func(t *testing.T) string { return prefix(t, servers.RedisCluster(t)) },
}

// unique is a name that no other test has.
func unique() string {
	var b [6]byte
	rand.Read(b[:])
	return "sessionctl_" + hex.EncodeToString(b[:])
}

func parameter(url, name, value string) string {
	if strings.Contains(url, "?") {
		return url + "&" + name + "=" + value
	}
	return url + "?" + name + "=" + value
}

// table names a table of its own, which is dropped in the end.
func table(t *testing.T, server string) string {
	url := parameter(server, "table", unique())
	t.Cleanup(func() {
		withStore(t, url, func(s hosts.Store) {
			require.NoError(t, s.(interface{ Drop(context.Context) error }).Drop(context.Background()))
		})
	})
	return url
}

// prefix names keys of its own, which are deleted in the end.
func prefix(t *testing.T, server string) string {
	url := parameter(server, "prefix", unique()+":")
	t.Cleanup(func() {
		code, _, stderr := on(t, url, "end-all", "--all-tenants")
		require.Zero(t, code, stderr)
	})
	return url
}

// live are sessions that no backend forgets.
func live(t *testing.T, url string) []core.Record {
	t.Helper()
	list := []core.Record{
		record(1, "alice", ""), record(2, "alice", ""), record(3, "bob", ""), record(4, "", ""),
		record(5, "alice", "acme"), record(6, "carol", "acme"), record(7, "", "acme"), record(8, "-", "a b"),
	}
	fill(t, url, list...)
	return list
}

// Every verb does the same over every backend.
func TestVerbsOverBackends(t *testing.T) {
	for name, make := range backends {
		t.Run(name, func(t *testing.T) {
			url := make(t)
			records := live(t, url)
			verb := func(args ...string) string {
				t.Helper()
				code, stdout, stderr := on(t, url, args[0], args[1:]...)
				require.Zero(t, code, stdout+stderr)
				return stdout
			}
			require.Len(t, objects(t, verb("list", "--json")), len(records))
			require.Len(t, objects(t, verb("list", "--json", "--user", "alice")), 3)
			require.Contains(t, verb("list", "--tenant", "a b"), `"a b"`)
			require.Contains(t, verb("show", records[4].ID.String()), "acme")

			before := all(t, url)
			file := exported(t, url)
			require.Equal(t, "ended 1 session; not there: 1\n", verb("end", records[0].ID.String(), "-_8BAAAAAAAAAAAAAAAAAA"))
			require.Equal(t, "ended 1 session\n", verb("end-all", "--user", "bob"))
			require.Equal(t, "ended 3 sessions\n", verb("end-all", "--tenant", "acme"))
			sweep := "nothing to do: this store removes expired sessions by itself\n"
			if !strings.HasPrefix(name, "redis") {
				old := record(9, "old", "")
				old.ExpiresAt = old.SeenAt - 2*core.Hour
				fill(t, url, old)
				sweep = "swept 1 session\n"
			}
			require.Equal(t, sweep, verb("sweep"))
			sql := name == "sqlite" || name == "postgres" || name == "mysql"
			require.Equal(t, sql, strings.Contains(verb("migrate"), "up to date"))
			require.Equal(t, "ended 3 sessions\n", verb("end-all", "--all-tenants"))
			require.Empty(t, all(t, url))

			require.Contains(t, verb("import", "--revive", file), "saved 8 sessions; not in the store: 0; there already: 0; conflicts: 0; expired and left out: 0")
			require.Contains(t, verb("import", file), "there already: 8;")
			require.Equal(t, before, all(t, url))
		})
	}
}

// An export is the same whatever store it comes from and goes to.
func TestFromEveryBackendToEveryOther(t *testing.T) {
	names := []string{"file", "sqlite", "postgres", "mysql", "redis", "redis+cluster", "file+shared"}
	urls := map[string]string{}
	for _, name := range names { // a server that is not there skips this test, not half of it
		urls[name] = backends[name](t)
	}
	var records []core.Record
	for n := range uint32(300) {
		records = append(records, record(n, fmt.Sprint("user ", n%7), strings.Repeat("t", int(n%3))))
	}
	records = byID(records)
	fill(t, urls[names[0]], records...)
	for i, from := range names {
		require.Equal(t, records, all(t, urls[from]), from)
		if i == len(names)-1 {
			break
		}
		file := exported(t, urls[from])
		code, stdout, stderr := on(t, urls[names[i+1]], "import", "--revive", file)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "saved 300 sessions;")
	}
}

// A check leaves the sessions that are there alone, also where the name of the
// store has their table.
func TestCheck(t *testing.T) {
	for _, name := range []string{"sqlite", "postgres", "mysql", "redis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for their servers and disks
			url := backends[name](t)
			records := live(t, url)
			args := slices.Concat([]string{"check", "--json"}, soak.Unless(t, "--brief"), []string{url})
			code, stdout, stderr := call{args: args}.run(t)
			require.Zero(t, code, stdout+stderr)
			list := objects(t, stdout)
			last := list[len(list)-1]
			require.EqualValues(t, 0, last["broken"])
			require.EqualValues(t, len(list)-1, last["kept"].(float64)+last["skipped"].(float64))
			require.Greater(t, last["kept"], 40.0)
			require.Equal(t, byID(records), all(t, url))
		})
	}
}

func TestDoctorOverBackends(t *testing.T) {
	for name, make := range backends {
		t.Run(name, func(t *testing.T) {
			url := make(t)
			fill(t, url, record(1, "alice", ""))
			doctor := func() (int, string) {
				code, stdout, stderr := call{args: []string{"doctor"}, env: []string{"SESSION_ENCRYPTION_KEY=" + testKey, "SESSION_STORE=" + url}}.run(t)
				require.Empty(t, stderr)
				return code, stdout
			}
			code, stdout := doctor()
			require.Zero(t, code, stdout)
			for _, part := range []string{"ok       store   opened in", "deleted a test session", "expired a second ago is still there", "1 checked\n", "no findings"} {
				require.Contains(t, stdout, part)
			}
			require.Equal(t, strings.HasPrefix(name, "redis"), strings.Contains(stdout, "drops no sessions to make room"))
			require.Equal(t, name == "sqlite" || name == "postgres" || name == "mysql", strings.Contains(stdout, "schema is the one of this program"))
			require.Len(t, all(t, url), 1, "nothing is left")

			ahead := record(2, "bob", "")
			ahead.SeenAt += core.Hour
			fill(t, url, ahead)
			code, stdout = doctor()
			require.Equal(t, 1, code)
			require.Contains(t, stdout, "in the future: the clock of a server is ahead")
		})
	}
}

// What cannot be opened is told with its remedy, and without a password.
func TestStoresThatDoNotOpen(t *testing.T) {
	nowhere := "127.0.0.1:1"
	for name, url := range map[string]string{
		"postgres":      "postgres://u:hush@" + nowhere + "/d?sslmode=disable",
		"mysql":         "mysql://u:hush@" + nowhere + "/d",
		"redis":         "redis://u:hush@" + nowhere + "/1",
		"redis+cluster": "redis+cluster://u:hush@" + nowhere + "," + nowhere,
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range []string{"list", "end-all --user a", "export " + filepath.Join(t.TempDir(), "f"), "migrate", "check", "doctor"} {
				code, stdout, stderr := call{args: strings.Fields(args), env: []string{"SESSION_STORE=" + url, "SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
				require.Equal(t, 1, code, args)
				require.NotContains(t, stdout+stderr, "hush")
				require.NotEmpty(t, stdout+stderr)
			}
		})
	}
	for _, url := range []string{"postgres://u:hush@h:x/d", "mysql://u:hush@h:x/d", "redis://u:hush@h:x/d", "postgres://u:hush@h/d?migrate=maybe"} {
		for _, verb := range []string{"list", "check", "doctor"} {
			code, stdout, stderr := call{args: []string{verb}, env: []string{"SESSION_STORE=" + url, "SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
			require.NotZero(t, code, "%s %s", verb, url)
			require.NotContains(t, stdout+stderr, "hush@", "%s %s", verb, url)
		}
	}
}

// A log has one process. Another that asks is told so, and that is no usage.
func TestALogThatAServerHasOpen(t *testing.T) {
	url := fileStore(t)
	withStore(t, url, func(hosts.Store) {
		for _, args := range []string{"list", "end-all --user a", "sweep"} {
			code, stdout, stderr := on(t, url, strings.Fields(args)[0], strings.Fields(args)[1:]...)
			require.Equal(t, 1, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, "is open in another process")
			require.Contains(t, stderr, "file+shared:")
		}
	})
}
