package sessions_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mapWalkers are the functions of the core that may range over a map, each with
// the reason why its order reaches no bytes.
var mapWalkers = map[string]string{
	"keep":        "copies a map, and drops one of the entries that are alike in age",
	"sortEntries": "sorts what it finds, before anything is written",
	"checkNames":  "refuses a config for whichever bad name comes first",
}

// The order of a map differs from run to run, and from a guest to its host.
func TestNoMapOrderReachesBytes(t *testing.T) {
	set := token.NewFileSet()
	var files []*ast.File
	paths, err := filepath.Glob("core/*.go")
	require.NoError(t, err)
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	_, err = config.Check(module+"/core", set, files, info)
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if r, ok := n.(*ast.RangeStmt); ok {
					if _, ok := info.Types[r.X].Type.Underlying().(*types.Map); ok {
						found[f.Name.Name] = true
						require.Contains(t, mapWalkers, f.Name.Name, "%v ranges over a map", set.Position(r.Pos()))
					}
				}
				return true
			})
		}
	}
	require.Len(t, found, len(mapWalkers), "the list names functions that range over no map")
}

func TestTheCoreRecoversNothingAndSharesOneThing(t *testing.T) {
	sources(t, func(path string, _ []byte, set *token.FileSet, file *ast.File) {
		if !strings.HasPrefix(path, "core/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.Ident); ok && (name.Name == "recover" || name.Name == "panic") {
					t.Errorf("%v: %s in the core", set.Position(n.Pos()), name.Name)
				}
			}
			return true
		})
		for _, spec := range file.Imports {
			if spec.Path.Value == `"sync/atomic"` {
				require.Equal(t, "core/ring.go", path, "the cache of ciphers is all that changes in the core")
			}
		}
	})
}

func TestNothingIsLeftForLater(t *testing.T) {
	banned := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "time." + "Sleep(", "/ro" + "ot/"}
	sources(t, func(path string, text []byte, _ *token.FileSet, _ *ast.File) {
		for _, word := range banned {
			require.NotContains(t, string(text), word, path)
		}
	})
}
