package sessions_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var states = []string{"met", "if set", "partly", "yours", "not met"}

// waysOut are the functions of package testing by which a test may not play.
var waysOut = []string{"Skip", "Skipf", "SkipNow", "Short"}

var named = regexp.MustCompile("`([a-z0-9/]+)\\.(Test\\w+)`")

// TestStandardsNameTheirTests: each row of docs/standards.md has a state; what is
// said to be met names tests, and each of these exists, on every system, and skips
// nothing.
func TestStandardsNameTheirTests(t *testing.T) {
	page, err := os.ReadFile("docs/standards.md")
	require.NoError(t, err)
	rows, tests := 0, map[string]map[string]bool{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|") // an empty one at each end
		if len(cells) != 7 || strings.HasPrefix(cells[1], "---") || cells[3] == " state " {
			continue
		}
		rows++
		state, shown := strings.TrimSpace(cells[3]), named.FindAllStringSubmatch(cells[5], -1)
		require.Contains(t, states, state, line)
		if slices.Contains(states[:3], state) {
			require.NotEmpty(t, shown, "no test shows it: %s", line)
		}
		for _, m := range shown {
			if tests[m[1]] == nil {
				tests[m[1]] = testsOf(t, m[1])
			}
			plays, exists := tests[m[1]][m[2]]
			require.True(t, exists, "there is no test %s", m[0])
			require.True(t, plays, "%s may be skipped", m[0])
		}
	}
	require.Greater(t, rows, 90, "the rows of the page are not read")
}

// testsOf are the tests in a directory, and whether each plays everywhere: it, or a
// function of these files that it calls, never skips.
func testsOf(t *testing.T, dir string) map[string]bool {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	tests, calls, skips := map[string]bool{}, map[string][]string{}, map[string]bool{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		require.NoError(t, err)
		if constrained(path, file) {
			continue
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			tests[f.Name.Name] = true
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					skips[f.Name.Name] = skips[f.Name.Name] || slices.Contains(waysOut, n.Sel.Name)
				case *ast.Ident:
					calls[f.Name.Name] = append(calls[f.Name.Name], n.Name)
				}
				return true
			})
		}
	}
	for name := range tests {
		tests[name] = !skips[name] && !slices.ContainsFunc(calls[name], func(called string) bool { return skips[called] })
	}
	return tests
}

// constrained reports whether a file is built on some systems or with some tags alone.
func constrained(path string, file *ast.File) bool {
	return strings.HasSuffix(path, "_linux_test.go") || slices.ContainsFunc(file.Comments, func(c *ast.CommentGroup) bool {
		return c.Pos() < file.Package && strings.HasPrefix(c.List[0].Text, "//go:build")
	})
}
