package deploy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

// image is what the Dockerfile says.
type image struct {
	goVersion  string   // of the base image
	run        string   // the command that builds
	copies     []string // "from to", out of the stage that builds
	user       string
	entrypoint []string
}

// dockerfile is read by BuildKit's own parser and the rules of its linter that
// need no engine.
func dockerfile(t *testing.T) image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "Dockerfile"))
	require.NoError(t, err)
	ast, err := parser.Parse(bytes.NewReader(text))
	require.NoError(t, err)
	require.Empty(t, ast.Warnings)
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) {
		t.Errorf("Dockerfile: %s: %s", rule, message)
	}})
	stages, _, err := instructions.Parse(ast.AST, lint)
	require.NoError(t, err)
	require.Len(t, stages, 2)
	require.Equal(t, "scratch", stages[1].BaseName)
	i := image{goVersion: strings.TrimPrefix(stages[0].BaseName, "golang:")}
	for _, c := range stages[0].Commands {
		if c, ok := c.(*instructions.RunCommand); ok {
			require.Empty(t, i.run, "one command")
			i.run = strings.Join(c.CmdLine, " ")
		}
	}
	for _, c := range stages[1].Commands {
		switch c := c.(type) {
		case *instructions.CopyCommand:
			require.Equal(t, stages[0].Name, c.From)
			require.Len(t, c.SourcePaths, 1)
			i.copies = append(i.copies, c.SourcePaths[0]+" "+c.DestPath)
		case *instructions.UserCommand:
			i.user = c.User
		case *instructions.EntrypointCommand:
			require.False(t, c.PrependShell, "there is no shell")
			i.entrypoint = c.CmdLine
		case *instructions.CmdCommand:
			require.False(t, c.PrependShell, "there is no shell")
		}
	}
	return i
}

// TestContainerFile: the Go is the workspace's, and the user is that of the chart.
func TestContainerFile(t *testing.T) {
	i := dockerfile(t)
	text, err := os.ReadFile(filepath.Join(top, "go.work"))
	require.NoError(t, err)
	work, err := modfile.ParseWork("go.work", text, nil)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(work.Go.Version+".", i.goVersion+"."), "golang:%s; go.work: %s", i.goVersion, work.Go.Version)
	require.Equal(t, "65532:65532", i.user)
	require.Equal(t, []string{"/sessionctl"}, i.entrypoint)
	o, err := render(t, valuesFiles(t)["smallest"])
	require.NoError(t, err)
	require.EqualValues(t, 65532, *o.deployment.Spec.Template.Spec.SecurityContext.RunAsUser)

	// Whatever git has must come along: else the version says that it was changed.
	ignored, err := os.ReadFile(filepath.Join(top, ".dockerignore"))
	require.NoError(t, err)
	for line := range strings.Lines(string(ignored)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			require.Empty(t, call(t, top, nil, "git", "ls-files", "--", strings.TrimPrefix(line, "**/")), line)
		}
	}
}
