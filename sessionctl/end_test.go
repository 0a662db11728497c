package sessionctl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

func TestEnd(t *testing.T) {
	url := fileStore(t)
	records := crowd(t, url)
	dashed := record(9, "dash", "")
	dashed.ID = core.ID{0xfb, 0xff, 1} // its text begins with "-"
	fill(t, url, dashed)
	require.True(t, strings.HasPrefix(dashed.ID.String(), "-"))
	a, b := records[0].ID.String(), records[1].ID.String()

	code, stdout, stderr := call{args: []string{"end", a, "--store", url, dashed.ID.String(), "--json"}}.run(t)
	require.Zero(t, code, stderr)
	require.JSONEq(t, `{"ended":2,"missing":0}`, stdout)
	code, stdout, _ = on(t, url, "end", a, b)
	require.Zero(t, code)
	require.Equal(t, "ended 1 session; not there: 1\n", stdout)
	require.Len(t, all(t, url), len(records)-2)

	for _, args := range [][]string{{}, {b[:21]}, {records[2].ID.String(), "x"}, {records[2].ID.String(), "--all"}} {
		code, stdout, stderr = on(t, url, "end", args...)
		require.Equal(t, 2, code)
		require.Empty(t, stdout)
		require.Regexp(t, "^sessionctl: end: ", stderr)
	}
	require.Len(t, all(t, url), len(records)-2, "a bad argument ends nothing")
}

func TestEndAll(t *testing.T) {
	for args, c := range map[string]struct {
		ended []int
		code  int
	}{
		"--user alice --tenant acme": {[]int{5}, 0},
		"--user alice --all-tenants": {[]int{1, 2, 5}, 0},
		"--user alice":               {[]int{1, 2}, 1}, // some are left in a tenant, and it says so
		"--user bob":                 {[]int{3}, 0},
		"--tenant acme":              {[]int{5, 6, 7}, 0},
		"--all-tenants":              {[]int{1, 2, 3, 4, 5, 6, 7, 8}, 0},
		"--user nobody":              {nil, 0},
		"--user - --all-tenants":     {[]int{8}, 0},
		"":                           {nil, 2},
		"--user=":                    {nil, 2},
		"--tenant=":                  {nil, 2},
		"--user alice --tenant=":     {nil, 2},
		"--tenant a --all-tenants":   {nil, 2},
		"alice":                      {nil, 2},
	} {
		t.Run(args, func(t *testing.T) {
			url := fileStore(t)
			records := crowd(t, url)
			code, stdout, stderr := on(t, url, "end-all", strings.Fields(args)...)
			require.Equal(t, c.code, code, stderr)
			if code == 2 {
				require.Empty(t, stdout)
			} else {
				require.Equal(t, fmt.Sprintf("ended %s\n", plural(len(c.ended))), stdout)
			}
			if code != 0 {
				require.Regexp(t, "^sessionctl: end-all: ", stderr)
			}
			left := all(t, url)
			require.Len(t, left, len(records)-len(c.ended))
			for _, r := range left {
				for _, n := range c.ended {
					require.NotEqual(t, records[n-1].ID, r.ID)
				}
			}
		})
	}
}

func TestSweep(t *testing.T) {
	url := fileStore(t)
	records := crowd(t, url) // two expired two hours ago
	for _, c := range []struct {
		args, out string
		left      int
	}{
		{"--retention 3h", "swept 0 sessions\n", len(records)},
		{"--json", `{"by_itself":false,"swept":2}` + "\n", len(records) - 2},
		{"", "swept 0 sessions\n", len(records) - 2},
	} {
		code, stdout, stderr := on(t, url, "sweep", strings.Fields(c.args)...)
		require.Zero(t, code, stderr)
		require.Equal(t, c.out, stdout)
		require.Len(t, all(t, url), c.left)
	}
	code, _, stderr := on(t, url, "sweep", "--retention", "-1s")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "allowed: 0s or more")
}

func TestMigrate(t *testing.T) {
	url := fileStore(t)
	dir := strings.TrimPrefix(url, "file:")
	for _, want := range []string{"the store was created in " + dir + "; nothing to migrate: it has no schema\n", "nothing to migrate: this store has no schema\n"} {
		code, stdout, _ := on(t, url, "migrate")
		require.Zero(t, code)
		require.Equal(t, want, stdout)
		require.DirExists(t, dir)
	}
	code, stdout, _ := on(t, fileStore(t), "migrate")
	require.Zero(t, code)
	require.Contains(t, stdout, "nothing to migrate")
	code, stdout, _ = on(t, fileStore(t), "migrate", "--json")
	require.Zero(t, code)
	require.JSONEq(t, `{"schema":false}`, stdout)
}

// Every verb names its store the same way, and refuses one that cannot be meant.
func TestTheStoreOfAVerb(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.rwsexp")
	id := core.ID{1}.String()
	for _, line := range []string{"list", "show " + id, "end " + id, "end-all --user a", "sweep", "export " + file} {
		args := strings.Fields(line)
		code, stdout, stderr := call{args: args}.run(t)
		require.Equal(t, 2, code, line)
		require.Contains(t, stderr, "no store is named; allowed: --store STORE or SESSION_STORE")

		missing := filepath.Join(t.TempDir(), "typo")
		code, _, stderr = call{args: args, env: []string{"SESSION_STORE=file:" + missing}}.run(t)
		require.Equal(t, 1, code, line)
		require.Contains(t, stderr, "there is no store at "+missing)
		require.NoDirExists(t, missing)

		for _, memory := range []string{"memory:", "cache"} {
			code, _, stderr = call{args: append(args[:1:1], append([]string{"--store", memory}, args[1:]...)...)}.run(t)
			require.Equal(t, 2, code, line)
			require.Contains(t, stderr, "this command's own memory")
		}
		code, _, stderr = call{args: args, env: []string{"SESSION_STORE=carrier-pigeon:hush@host"}}.run(t)
		require.Equal(t, 2, code, line)
		require.Contains(t, stderr, "allowed: ")
		code2, help, _ := call{args: []string{"help", args[0]}, env: []string{"SESSION_STORE=x:hush"}}.run(t)
		require.Zero(t, code2)
		require.NotContains(t, stdout+stderr+help, "hush")
	}
	_, err := os.Lstat(file)
	require.ErrorIs(t, err, os.ErrNotExist)
}
