package sessionctl

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl/archive"
)

// exported makes an export of a store.
func exported(t *testing.T, url string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "all.rwsexp")
	code, stdout, stderr := on(t, url, "export", file)
	require.Zero(t, code, stderr)
	require.Equal(t, "exported "+plural(len(all(t, url)))+"\n", stdout)
	return file
}

func TestExportAndImport(t *testing.T) {
	from, to := fileStore(t), fileStore(t)
	records := crowd(t, from)
	large := record(100, "large", "")
	large.Sealed = bytes.Repeat([]byte("sealed "), core.MaxSealed/7)
	fill(t, from, large)
	lost := 0
	for _, r := range records {
		if r.ExpiresAt < r.SeenAt-core.Hour {
			lost++ // too long ago
		}
	}
	require.Equal(t, 2, lost)
	file := exported(t, from)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	code, stdout, stderr := on(t, to, "import", "--revive", file)
	require.Zero(t, code, stderr)
	require.Equal(t, "saved 7 sessions; not in the store: 0; there already: 0; conflicts: 0; expired and left out: 2\n", stdout)
	code, _, stderr = on(t, from, "sweep")
	require.Zero(t, code, stderr)
	require.Equal(t, all(t, from), all(t, to))

	code, stdout, stderr = on(t, to, "import", "--json", file)
	require.Zero(t, code, stderr)
	require.JSONEq(t, `{"saved":0,"missing":0,"there":7,"conflicts":0,"expired":2,"complete":true}`, stdout)
}

func TestExportToAPipe(t *testing.T) {
	from, to := fileStore(t), fileStore(t)
	crowd(t, from)
	code, data, stderr := on(t, from, "export", "--json", "-")
	require.Zero(t, code, stderr)
	require.JSONEq(t, `{"exported":8}`, stderr)
	code, stdout, stderr := call{args: []string{"import", "--store", to, "--revive", "-"}, stdin: data}.run(t)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "saved 6 sessions")

	// Cut off, it has saved what came before, says so, and may be run again.
	third := fileStore(t)
	code, stdout, stderr = call{args: []string{"import", "--store", third, "--revive", "-"}, stdin: data[:len(data)-10]}.run(t)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "incomplete")
	require.Contains(t, stderr, "export is cut short; the sessions before that are done. Run it again with the whole export")
	require.NotContains(t, stderr, "run it again", "the same input would end there again")
	code, _, stderr = call{args: []string{"import", "--store", third, "--revive", "-"}, stdin: data}.run(t)
	require.Zero(t, code, stderr)
	require.Equal(t, all(t, to), all(t, third))
}

func TestExportRefuses(t *testing.T) {
	url := fileStore(t)
	crowd(t, url)
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	require.NoError(t, os.WriteFile(old, []byte("dear"), 0o600))
	for args, want := range map[string]string{
		"":         "2 no file is named; allowed: one FILE",
		"a b":      `2 the files are ["a" "b"]`,
		old:        "2 exists already",
		dir:        "2 exists already",
		"no/where": "1 no such file or directory",
	} {
		code, stdout, stderr := on(t, url, "export", strings.Fields(args)...)
		require.Equal(t, int(want[0]-'0'), code, stderr)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want[2:])
	}
	code, stdout, stderr := on(t, url, "export", "")
	require.Equal(t, 2, code, stderr)
	require.Empty(t, stdout)
	require.Contains(t, stderr, `the file is ""; allowed: a FILE, or -`)
	text, err := os.ReadFile(old)
	require.NoError(t, err)
	require.Equal(t, "dear", string(text))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half made is left")
}

// What has ended since the export comes back only to who says so.
func TestImportRevivesOnlyWhenTold(t *testing.T) {
	url := fileStore(t)
	records := crowd(t, url)
	file := exported(t, url)
	code, _, stderr := on(t, url, "end", records[0].ID.String())
	require.Zero(t, code, stderr)
	left := all(t, url)

	code, stdout, stderr := on(t, url, "import", file)
	require.Equal(t, 1, code)
	require.Equal(t, "saved 0 sessions; not in the store: 1; there already: 5; conflicts: 0; expired and left out: 2\n", stdout)
	require.Contains(t, stderr, "nothing was written; not in the store: 1 session of this export, begun 2")
	require.Contains(t, stderr, "either never there or ended since. --revive saves both kinds")
	require.Equal(t, left, all(t, url))

	code, stdout, stderr = on(t, url, "import", "--revive", file)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "saved 1 session;")
	require.Len(t, all(t, url), len(left)+1)
}

func TestImportOverwritesNothing(t *testing.T) {
	url := fileStore(t)
	records := crowd(t, url)
	file := exported(t, url)
	withStore(t, url, func(s hosts.Store) {
		later := records[0]
		later.Version, later.Sealed = 99, []byte("later")
		require.NoError(t, s.Save(t.Context(), later, records[0].Version))
		forged := records[1] // the same version with other bytes is another state, too
		require.NoError(t, s.Delete(t.Context(), forged.ID))
		forged.User = "mallory"
		require.NoError(t, s.Save(t.Context(), forged, core.NoVersion))
	})
	before := all(t, url)
	code, stdout, stderr := on(t, url, "import", "--revive", file)
	require.Equal(t, 1, code)
	require.Empty(t, stderr)
	for _, r := range records[:2] {
		require.Contains(t, stdout, "conflict "+r.ID.String()+": the store has another version, which stays\n")
	}
	require.Contains(t, stdout, "saved 0 sessions; not in the store: 0; there already: 4; conflicts: 2;")
	code, stdout, _ = on(t, url, "import", "--json", file)
	require.Equal(t, 1, code)
	list := objects(t, stdout)
	require.Len(t, list, 3)
	require.ElementsMatch(t, []any{records[0].ID.String(), records[1].ID.String()}, []any{list[0]["conflict"], list[1]["conflict"]})
	require.Equal(t, before, all(t, url))
}

// A file that is not whole changes nothing.
func TestImportRefusesFiles(t *testing.T) {
	from := fileStore(t)
	crowd(t, from)
	good, err := os.ReadFile(exported(t, from))
	require.NoError(t, err)
	changed := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 0x10
		return b
	}
	newer := bytes.Clone(good)
	newer[7] = archive.Format + 1
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"truncated":      {good[:len(good)-1], "cut short"},
		"header alone":   {good[:24], "cut short"},
		"empty":          {nil, "not an export of sessions"},
		"foreign":        {[]byte(`{"sessions":[]}                  `), "not an export of sessions"},
		"newer":          {newer, "format 2, this program reads up to 1"},
		"header changed": {changed(10), "damaged"},
		"body changed":   {changed(len(good) / 2), "damaged"},
		"end changed":    {changed(len(good) - 1), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			file, to := filepath.Join(t.TempDir(), "bad"), fileStore(t)
			require.NoError(t, os.WriteFile(file, c.file, 0o600))
			code, stdout, stderr := on(t, to, "import", "--revive", file)
			require.Equal(t, 1, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.want)
			require.Contains(t, stderr, "nothing was written")
			require.NoDirExists(t, strings.TrimPrefix(to, "file:"))
		})
	}
	code, _, stderr := on(t, from, "import", "none")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "none: no such file")
	code, _, stderr = on(t, from, "import")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "allowed: one FILE, or -")
}
