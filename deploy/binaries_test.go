package deploy

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/stretchr/testify/require"
)

const module = "github.com/rockstar-web/sessions"

// goreleaser reads its configuration as it does itself: fields that it does not
// know are errors.
func goreleaser(t *testing.T) config.Project {
	t.Helper()
	c, err := config.Load(filepath.Join(top, ".goreleaser.yaml"))
	require.NoError(t, err)
	require.Equal(t, 2, c.Version)
	return c
}

func TestReleaseHasItsFiles(t *testing.T) {
	c := goreleaser(t)
	require.Len(t, c.Builds, 1)
	require.Equal(t, []string{"linux", "darwin", "windows"}, c.Builds[0].Goos)
	require.Equal(t, []string{"amd64", "arm64"}, c.Builds[0].Goarch)
	require.Equal(t, "{{ .CommitTimestamp }}", c.Builds[0].ModTimestamp)
	require.Equal(t, "sha256", c.Checksum.Algorithm)
	for _, f := range c.Archives[0].Files {
		require.Equal(t, "{{ .CommitDate }}", f.Info.MTime, f.Source)
		if !strings.HasPrefix(f.Source, "completions") {
			require.FileExists(t, filepath.Join(top, f.Source))
		}
	}
	// release.yml calls the goreleaser that this test is built with.
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	_, version, _ := strings.Cut(string(text), "goreleaser/goreleaser/v2 ")
	version, _, _ = strings.Cut(version, "\n")
	for _, s := range workflows(t)["release.yml"].Jobs["binaries"].Steps {
		if strings.HasPrefix(s.Uses, "goreleaser/") {
			require.Equal(t, version, s.With["version"])
			return
		}
	}
	require.Fail(t, "release.yml does not call goreleaser")
}

// released is a repository with the tags of a release, of cmd/sessionctl alone:
// its other modules come from a proxy, as they do for everybody.
type released struct {
	dir string
	env []string
}

// version is the one that the modules require of each other.
var version = func() string {
	text, err := os.ReadFile(filepath.Join(top, "cmd", "sessionctl", "go.mod"))
	if err != nil {
		panic(err)
	}
	return regexp.MustCompile(regexp.QuoteMeta(module) + ` (v\S+)`).FindStringSubmatch(string(text))[1]
}()

var release = sync.OnceValues(func() (*released, error) {
	dir := filepath.Join(scratch, "release")
	command := filepath.Join(dir, "cmd", "sessionctl")
	if err := os.CopyFS(command, os.DirFS(filepath.Join(top, "cmd", "sessionctl"))); err != nil {
		return nil, err
	}
	// The sums that a release has written are not those of the tree that has changed since.
	sums, err := os.ReadFile(filepath.Join(command, "go.sum"))
	if err != nil {
		return nil, err
	}
	sums = regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(module)+`[ /].*\n`).ReplaceAll(sums, nil)
	if err := os.WriteFile(filepath.Join(command, "go.sum"), sums, 0o644); err != nil {
		return nil, err
	}
	// Go finds the tags of a module by the module at the top of the repository.
	text, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), text, 0o644); err != nil {
		return nil, err
	}
	proxy := filepath.Join(scratch, "proxy")
	if err := do(top, []string{"GOWORK="}, "go", "run", "./release", "pack", proxy); err != nil {
		return nil, err
	}
	given, err := output(top, nil, "go", "env", "GOPROXY", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	upstream, shared, _ := strings.Cut(strings.TrimSpace(given), "\n")
	r := &released{dir: dir}
	for name, value := range map[string]string{
		"GOWORK": "off", "GOFLAGS": "-modcacherw", "GOSUMDB": "off", "GOMODCACHE": filepath.Join(scratch, "cache"),
		"GOPROXY": strings.Join([]string{"file://" + proxy, "file://" + filepath.Join(shared, "cache", "download"), upstream}, ","),
		// A commit that is the same in every run.
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
	} {
		r.env = append(r.env, name+"="+value)
	}
	// The sums of our own modules, which a release writes.
	if err := do(command, r.env, "go", "list", "-mod=mod", "-deps", "."); err != nil {
		return nil, err
	}
	for _, args := range []string{"init --quiet", "add .", "commit --quiet --message release", "tag " + version, "tag cmd/sessionctl/" + version} {
		if err := do(dir, r.env, "git", strings.Fields(args)...); err != nil {
			return nil, err
		}
	}
	return r, nil
})

// build is what goreleaser does with the first of its builds, for this machine.
func (r *released) build(file string) error {
	c, err := config.Load(filepath.Join(top, ".goreleaser.yaml"))
	if err != nil {
		return err
	}
	b := c.Builds[0]
	args := append([]string{"build"}, b.Flags...)
	args = append(args, "-ldflags="+strings.Join(b.Ldflags, " "), "-o", file, ".")
	return do(filepath.Join(r.dir, b.Dir), append(r.env, b.Env...), "go", args...)
}

// sessionctl is the released command, built once for all tests.
var sessionctl = sync.OnceValues(func() (string, error) {
	r, err := release()
	if err != nil {
		return "", err
	}
	file := filepath.Join(scratch, "sessionctl")
	return file, r.build(file)
})

// TestReleasedCommand is built twice by the configuration: each knows its version
// and commit, and from another directory it is the same to the byte.
func TestReleasedCommand(t *testing.T) {
	r, err := release()
	require.NoError(t, err)
	file, err := sessionctl()
	require.NoError(t, err)
	commit := strings.TrimSpace(call(t, r.dir, nil, "git", "rev-parse", "HEAD"))
	require.JSONEq(t, fmt.Sprintf(`{"version":%q,"commit":%q,"go":%q,"system":"%s/%s"}`, version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH),
		call(t, "", nil, file, "version", "--json"))
	info, err := buildinfo.ReadFile(file)
	require.NoError(t, err)
	for _, d := range info.Deps {
		require.True(t, d.Replace == nil && strings.HasPrefix(d.Version, "v"), "%s %s %v: what everybody gets", d.Path, d.Version, d.Replace)
	}

	elsewhere := &released{filepath.Join(t.TempDir(), "elsewhere"), r.env}
	require.NoError(t, os.CopyFS(elsewhere.dir, os.DirFS(r.dir)))
	again := filepath.Join(t.TempDir(), "sessionctl")
	require.NoError(t, elsewhere.build(again))
	require.Equal(t, sum(t, file), sum(t, again), "two builds of one commit differ")

	t.Run("completions", func(t *testing.T) {
		dir := filepath.Join(r.dir, "completions")
		script, err := os.ReadFile(filepath.Join(top, "release", "completions.sh"))
		require.NoError(t, err)
		require.Equal(t, []string{"sh release/completions.sh completions"}, goreleaser(t).Before.Hooks)
		require.NoError(t, os.MkdirAll(filepath.Join(r.dir, "release"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, "release", "completions.sh"), script, 0o644))
		call(t, r.dir, r.env, "sh", "release/completions.sh", dir)
		for shell, name := range map[string]string{"bash": "sessionctl.bash", "zsh": "_sessionctl", "fish": "sessionctl.fish"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, call(t, "", nil, file, "completion", shell), string(text))
		}
	})
	t.Run("SBOM", func(t *testing.T) { testSBOM(t, r, file, info) })
}

func sum(t *testing.T, file string) [32]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return sha256.Sum256(text)
}

// component is a module in an SBOM.
type component struct {
	Name, Version string
	Evidence      struct {
		Licenses []struct{ License struct{ ID string } }
	}
}

// testSBOM makes it as goreleaser does: it has the command and every module that
// is linked, with versions and licences.
func testSBOM(t *testing.T, r *released, file string, info *buildinfo.BuildInfo) {
	s := goreleaser(t).SBOMs[0]
	document := filepath.Join(t.TempDir(), "sbom.json")
	var args []string
	for _, a := range s.Args {
		args = append(args, strings.NewReplacer("{{ .Version }}", strings.TrimPrefix(version, "v"), "$artifact", file, "$document", document).Replace(a))
	}
	require.NotContains(t, strings.Join(args, " "), "{{")
	// go run, in two steps: the tool is built with the machine's own module cache.
	require.Equal(t, []string{"go", "run", "bin"}, []string{s.Cmd, args[0], args[2]})
	call(t, "", []string{"GOWORK=off", "GOBIN=" + scratch}, "go", "install", args[1])
	call(t, r.dir, r.env, filepath.Join(scratch, "cyclonedx-gomod"), args[2:]...)
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	var bom struct {
		BOMFormat  string
		Metadata   struct{ Component component }
		Components []component
	}
	require.NoError(t, json.Unmarshal(text, &bom))
	require.Equal(t, "CycloneDX", bom.BOMFormat)
	require.Equal(t, module+"/cmd/sessionctl", bom.Metadata.Component.Name)
	require.Equal(t, version, bom.Metadata.Component.Version)
	have := map[string]string{}
	for _, c := range append(bom.Components, bom.Metadata.Component) {
		have[c.Name] = c.Version
		require.True(t, c.Name == "std" || len(c.Evidence.Licenses) > 0, "%s has no licence", c.Name)
	}
	for _, d := range info.Deps {
		require.Equal(t, d.Version, have[d.Path], d.Path)
	}
	for _, driver := range []string{"github.com/ncruces/go-sqlite3", "github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql", "github.com/redis/rueidis"} {
		require.Contains(t, have, driver)
	}
}

// TestCommandIsForEverySystem: its package is vetted for those that goreleaser
// builds for. Drivers are left out: they are others', and slow to compile.
func TestCommandIsForEverySystem(t *testing.T) {
	for _, system := range goreleaser(t).Builds[0].Goos {
		if system == runtime.GOOS {
			continue // make lint vets it
		}
		call(t, top, []string{"GOWORK=", "GOOS=" + system, "CGO_ENABLED=0"}, "go", "vet", "./sessionctl")
	}
}
