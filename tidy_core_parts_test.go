package sessions_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// coreShared are the files of the core that all of its groups stand on.
var coreShared = strings.Fields("doc.go errors.go id.go limits.go policy.go text.go time.go")

// coreGroups are the groups of the core's other files, lower to higher: by the
// part of a file's name before its first underscore.
var coreGroups = []string{"value", "seal", "cookie", "record", "life"}

// rankOf is the height of a file of the core; none if it belongs to no group.
func rankOf(path string) (rank int, ok bool) {
	name := filepath.Base(path)
	if slices.Contains(coreShared, name) {
		return 0, true
	}
	group, _, _ := strings.Cut(strings.TrimSuffix(name, ".go"), "_")
	at := slices.Index(coreGroups, group)
	return at + 1, at >= 0
}

// TestTheCoreHasFiveParts: whoever reads the core's groups in order meets
// nothing that a later one declares.
func TestTheCoreHasFiveParts(t *testing.T) {
	var files []*ast.File
	set := token.NewFileSet()
	met := make([]int, len(coreGroups)+1)
	coreFiles(t, set, func(path string, file *ast.File) {
		rank, ok := rankOf(path)
		require.True(t, ok, "%s: the name begins with its group, one of %v, or stands in coreShared", path, coreGroups)
		met[rank]++
		files = append(files, file)
	})
	require.NotContains(t, met, 0, "a group without files")
	require.Equal(t, len(coreShared), met[0], "coreShared names a file that is not there")
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importerOf(t, set)}
	pkg, err := config.Check("core", set, files, &info)
	require.NoError(t, err)
	seen := 0
	for used, what := range info.Uses {
		if what.Pkg() != pkg || !what.Pos().IsValid() {
			continue
		}
		seen++
		from, to := set.Position(used.Pos()), set.Position(what.Pos())
		low, _ := rankOf(from.Filename)
		high, _ := rankOf(to.Filename)
		if low < high {
			t.Errorf("%v: %s is declared higher up, in %s", from, used.Name, filepath.Base(to.Filename))
		}
	}
	require.Greater(t, seen, 1000, "the uses were looked at")
}

// TestTestsStandBesideTheirGroup: the name of a test's file begins with a group,
// but for tests of cookies and records at once.
func TestTestsStandBesideTheirGroup(t *testing.T) {
	paths, err := filepath.Glob("core/*_test.go")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	whole := strings.Fields("bench_test.go example_test.go fuzz_test.go node_test.go world_test.go")
	for _, path := range paths {
		name := filepath.Base(path)
		_, ok := rankOf(strings.TrimSuffix(name, "_test.go") + ".go")
		require.True(t, ok || slices.Contains(whole, name), "%s: the name begins with its group", path)
	}
}
