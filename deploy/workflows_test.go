package deploy

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// workflow is what is checked here beyond actionlint: who may do what.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions map[string]string
		Uses        string
		Needs       string
		Timeout     int `json:"timeout-minutes"`
		Steps       []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, ".github/workflows/*"))
	require.NoError(t, err)
	all := map[string]workflow{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w))
		all[filepath.Base(file)] = w
	}
	require.Contains(t, all, "test.yml")
	require.Contains(t, all, "release.yml")
	return all
}

func TestWorkflowsAreLinted(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	problems, err := linter.LintDir(filepath.Join(top, ".github/workflows"), nil)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// pinned is an action of a whole version, or a workflow of this repository.
var pinned = regexp.MustCompile(`^([\w-]+/[\w-]+@v\d+\.\d+\.\d+|\./\.github/workflows/test\.yml)$`)

// TestWorkflowsMayLittle: a job that is not told so writes nothing, and what a
// release is made with has one version.
func TestWorkflowsMayLittle(t *testing.T) {
	for name, w := range workflows(t) {
		require.NotNil(t, w.Permissions, "%s says what its jobs may do", name)
		for _, access := range w.Permissions {
			require.Equal(t, "read", access, name)
		}
		for job, j := range w.Jobs {
			require.True(t, j.Timeout > 0 || j.Uses != "", "%s, %s", name, job)
			require.True(t, name != "release.yml" || job == "test" || j.Needs == "test", "%s waits for the tests", job)
			for _, s := range append(j.Steps, struct {
				Uses, Run string
				With      map[string]any
			}{Uses: j.Uses}) {
				require.True(t, s.Uses == "" || pinned.MatchString(s.Uses), "%s, %s: %q", name, job, s.Uses)
				if strings.HasPrefix(s.Uses, "actions/checkout@") {
					require.Equal(t, false, s.With["persist-credentials"], "%s, %s", name, job)
				}
				require.NotContains(t, s.Run, "${{", "%s, %s: what a script gets from outside comes by its environment", name, job)
			}
		}
	}
}

// TestWorkflowsCallTheTwoCommands that contributors call.
func TestWorkflowsCallTheTwoCommands(t *testing.T) {
	var scripts strings.Builder
	for _, j := range workflows(t)["test.yml"].Jobs {
		for _, s := range j.Steps {
			scripts.WriteString(s.Run + "\n")
		}
	}
	require.Regexp(t, `make test\n`, scripts.String())
	require.Regexp(t, `make run `, scripts.String())
}
