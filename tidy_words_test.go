package sessions_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unwanted are marks of unfinished work, of a merge and of one developer's machine. They
// are written in two parts, so that this file has none.
var unwanted = []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "/ro" + "ot/", "/tm" + "p/", "/ho" + "me/", "artif" + "actory", "GOPR" + "OXY=", "<<<" + "<<<<", ">>>" + ">>>>"}

var texts = strings.Fields(".go .md .mjs .js .html .css .txt .sh .mod .yml .yaml")

func TestNothingIsLeftOver(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if d.Name() == ".git" || d.Name() == "node_modules" || path == filepath.Join("site", "dist") || strings.HasPrefix(d.Name(), "readme-test-") {
				return filepath.SkipDir
			}
			return nil
		case !slices.Contains(texts, filepath.Ext(path)) && d.Name() != "Makefile" && filepath.Dir(path) != ".ci":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		for _, word := range unwanted {
			require.NotContains(t, string(text), word, path)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, seen, 100, "the walk begins at the root of the module")
}

// TestNobodySleeps: whatever waits, waits for something that happens.
func TestNobodySleeps(t *testing.T) {
	sources(t, func(path string, _ []byte, set *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "time" {
					t.Errorf("%v: wait for what happens, or make time an argument", set.Position(n.Pos()))
				}
			}
			return true
		})
	})
}
