package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

// TestReadyNamesWhatIsMissing: the tree is ready for its version but for what a
// maintainer fills in, and a release of another version names each file.
func TestReadyNamesWhatIsMissing(t *testing.T) {
	t.Chdir("..")
	texts := map[string]string{}
	names := slices.Clone(stale)
	for _, n := range needed {
		names = append(names, n.file)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		texts[name] = string(text)
		if slices.Contains(stale, name) {
			texts[name] = noneSoFar.ReplaceAllString(texts[name], "")
		}
	}
	_, number, _ := strings.Cut(texts["hosts/js/package.json"], `"version": "`)
	number, _, _ = strings.Cut(number, `"`)
	now, next := "v"+number, "v987.6.5"
	filled := map[string]string{
		"SECURITY.md":  "\nContact: <mailto:security@example.org>\n",
		"CHANGELOG.md": "# Changes\n\n## " + next + ", 2027-01-02\n\n- New.\n\n## " + now + ", 2026-12-31\n\n- First.\n",
	}
	for _, c := range []struct {
		version string
		as      map[string]string // in place of the tree's
		missing []string
	}{
		{now, filled, nil},
		{now, map[string]string{"CHANGELOG.md": filled["CHANGELOG.md"], "SECURITY.md": "Contact: (filled in before the first release, in the form <mailto:security@example.org>)\n"},
			[]string{"SECURITY.md lacks who gets security reports"}},
		{now, map[string]string{"SECURITY.md": filled["SECURITY.md"], "CHANGELOG.md": "## " + now + ", not released yet\n"}, []string{"CHANGELOG.md lacks the day of the release"}},
		{next, filled, []string{"hosts/js/package.json lacks the npm package's version 987.6.5", "package-lock.json lacks", "deploy.md lacks the image's version 987.6.5",
			"deploy.md lacks the chart's version", "deploy.md lacks the archive's version", "Chart.yaml lacks the chart's version: 987.6.5", "Chart.yaml lacks the image's version, appVersion: 987.6.5"}},
		{now, map[string]string{"CHANGELOG.md": filled["CHANGELOG.md"], "SECURITY.md": filled["SECURITY.md"], "llms.txt": "also before the first release"}, []string{"llms.txt still says \"before the first release\""}},
		{"v0.1", filled, []string{"CHANGELOG.md", "package.json", "package-lock.json", "image's version", "chart's version", "archive's version", "chart's version:", "appVersion"}},
	} {
		t.Chdir(tree(t, texts, c.as))
		err := ready(c.version)
		if c.missing == nil {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err)
		require.Len(t, strings.Split(err.Error(), "\n"), len(c.missing), err)
		for _, want := range c.missing {
			require.ErrorContains(t, err, want)
		}
	}
}

// TestSetWantsAWholeVersion: make release alone has none.
func TestSetWantsAWholeVersion(t *testing.T) {
	for _, v := range []string{"", "v0.1", "0.1.0", "v0.1.0 "} {
		require.ErrorContains(t, set(nil, v), "make release VERSION=v0.1.0")
	}
}

func tree(t *testing.T, texts, as map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if other, ok := as[name]; ok {
			text = other
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

func TestNotesAreOneSection(t *testing.T) {
	t.Chdir(tree(t, nil, nil))
	require.NoError(t, os.WriteFile("CHANGELOG.md", []byte("# Changes\n\n## v0.2.0, 2027-01-02\n\n- New.\n\n### Details\n\n- More.\n\n## v0.1.0, 2026-12-31\n\n- First.\n"), 0o644))
	text, err := notes("v0.2.0")
	require.NoError(t, err)
	require.Equal(t, "- New.\n\n### Details\n\n- More.\n", text)
	text, err = notes("v0.1.0")
	require.NoError(t, err)
	require.Equal(t, "- First.\n", text)
	_, err = notes("v0.3.0")
	require.ErrorContains(t, err, "v0.3.0")
}

// TestTheRootsTagIsPushedAlone: GitHub starts no workflow for many tags at once.
func TestTheRootsTagIsPushedAlone(t *testing.T) {
	t.Chdir("..")
	all, err := modules()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(next(all, "v0.1.0")), "\n")
	require.Equal(t, "go run ./release check", lines[0], "make test compiles not all of it as users get it")
	require.Equal(t, "git push origin v0.1.0", lines[len(lines)-1])
	require.Contains(t, lines[len(lines)-2], " cmd/sessionctl/v0.1.0")
	require.NotContains(t, lines[len(lines)-2], " v0.1.0", "it is not among the others")
	require.NotContains(t, lines[len(lines)-2], "release/")
}

// TestSetWorkKeepsEachReplacement, at another version, or at the one that it has.
func TestSetWorkKeepsEachReplacement(t *testing.T) {
	t.Chdir("..")
	text, err := os.ReadFile("go.work")
	require.NoError(t, err)
	for _, v := range []string{"v0.1.0", "v0.2.0-rc.1"} {
		t.Chdir(t.TempDir())
		require.NoError(t, os.WriteFile("go.work", text, 0o644))
		require.NoError(t, setWork(v))
		have, err := os.ReadFile("go.work")
		require.NoError(t, err)
		before, err := modfile.ParseWork("go.work", text, nil)
		require.NoError(t, err)
		after, err := modfile.ParseWork("go.work", have, nil)
		require.NoError(t, err)
		require.NotEmpty(t, before.Replace)
		want := map[string]string{}
		for _, r := range before.Replace {
			want[r.Old.Path+" "+v] = r.New.Path
		}
		got := map[string]string{}
		for _, r := range after.Replace {
			got[r.Old.Path+" "+r.Old.Version] = r.New.Path
		}
		require.Equal(t, want, got, string(have))
	}
}
