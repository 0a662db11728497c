package sessions_test

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mapWalks are the functions of the core that range over a map, whose order is
// random, and why that reaches no bytes.
var mapWalks = map[string]string{
	"keep":        "copies the cache of ciphers; which of equal epochs goes shows in nothing",
	"sortEntries": "sorts what it collects",
	"checkNames":  "tells the least of the bad names",
}

// TestTheCoreIsDeterministic: the same inputs give the same bytes, and the
// guest that it becomes can neither recover nor wait.
func TestTheCoreIsDeterministic(t *testing.T) {
	var files []*ast.File
	set := token.NewFileSet()
	walked := map[string]bool{}
	coreFiles(t, set, func(path string, file *ast.File) {
		files = append(files, file)
		for _, spec := range file.Imports {
			if strings.HasPrefix(spec.Path.Value, `"sync`) {
				require.Equal(t, "core/seal_ring.go", path, "the cache of ciphers is all that changes in a Machine")
			}
		}
	})
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importerOf(t, set)}
	_, err := config.Check("core", set, files, &info)
	require.NoError(t, err)
	for _, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					if b, ok := info.Uses[n].(*types.Builtin); ok && (b.Name() == "recover" || b.Name() == "panic") {
						t.Errorf("%v: %s in the core", set.Position(n.Pos()), b.Name())
					}
				case *ast.RangeStmt:
					if _, ok := info.TypeOf(n.X).Underlying().(*types.Map); ok {
						require.NotEmpty(t, mapWalks[f.Name.Name], "%v: the order of a map is random", set.Position(n.Pos()))
						walked[f.Name.Name] = true
					}
				case *ast.ChanType, *ast.SelectStmt:
					t.Errorf("%v: the core waits for nothing", set.Position(n.Pos()))
				}
				return true
			})
		}
	}
	require.Len(t, walked, len(mapWalks), "a function stands in the list and walks no map")
}

// own imports packages of this module from their sources.
type own struct {
	set    *token.FileSet
	others types.Importer
}

func importerOf(t *testing.T, set *token.FileSet) types.Importer {
	// A test that was compiled with -trimpath does not know where Go is.
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	build.Default.GOROOT = strings.TrimSpace(string(root))
	return own{set, importer.Default()}
}

func (o own) Import(path string) (*types.Package, error) {
	dir, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return o.others.Import(path)
	}
	listed, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range listed.GoFiles {
		file, err := parser.ParseFile(o.set, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return (&types.Config{Importer: o}).Check(path, o.set, files, nil)
}

// coreFiles parses the core without its tests.
func coreFiles(t *testing.T, set *token.FileSet, visit func(path string, file *ast.File)) {
	t.Helper()
	paths, err := filepath.Glob("core/*.go")
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		visit(filepath.ToSlash(path), file)
	}
}
