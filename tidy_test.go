package sessions_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module          = "github.com/rockstar-web/sessions"
	maxFileLines    = 400
	maxFunctionSpan = 69 // lines, from the name to the closing brace
)

// coreImports is all that the core may import: nothing that reads a clock,
// draws randomness or does I/O. Of time it takes only the type of a value.
var coreImports = strings.Fields(`bytes crypto/subtle
	encoding/base64 encoding/binary errors math slices strconv strings sync/atomic time unicode/utf8`)

// clockNames of package time are what a pure package must not call.
var clockNames = strings.Fields("Now Since Until Sleep After AfterFunc Tick NewTimer NewTicker Local LoadLocation")

// arrows are the packages of this module that a package may import; those that
// are not listed import none. Tests are free.
var arrows = map[string][]string{
	".":                       {"cachestore", "core", "hosts", "hosts/nethttp", "hosts/values"},
	"core":                    {"internal/aesgcm", "internal/digest", "internal/unpack"},
	"core/wire":               {"core", "internal/unpack"},
	"hosts/js/test/origin":    {"cachestore", "core", "hosts", "hosts/nethttp"},
	"wasm/aesguest":           {"internal/aesgcm"},
	"wasm/guest":              {"core/wire"},
	"wasm/sources":            {"wasm/sources/hash"},
	"hosts":                   {"core", "hosts/feed", "hosts/values"},
	"hosts/feed":              {"core"},
	"hosts/values":            {"core"},
	"hosts/coalesce":          {"core", "hosts"},
	"hosts/gateway":           {"core", "hosts", "hosts/feed", "hosts/nethttp"},
	"hosts/console":           {"core", "hosts", "hosts/nethttp"},
	"hosts/echo":              {"hosts/nethttp"},
	"hosts/fiber":             {"hosts/nethttp"},
	"hosts/gin":               {"hosts/nethttp"},
	"hosts/wazero":            {"core", "core/wire", "hosts", "wasm"},
	"hosts/metrics":           {"core", "hosts", "hosts/feed"},
	"hosts/otel":              {"core", "hosts"},
	"hosts/migrate":           {"core", "hosts", "hosts/nethttp", "hosts/values"},
	"hosts/migrate/gorilla":   {"hosts/migrate"},
	"hosts/migrate/scs":       {"hosts/migrate"},
	"hosts/nethttp":           {"core", "core/wire", "hosts", "hosts/feed", "hosts/values"},
	"sessionstest":            {"cachestore", "core", "hosts", "hosts/nethttp"},
	"stores":                  {"cachestore", "fsstore", "hosts", "hosts/feed"},
	"stores/all":              {"cachestore/redis", "core", "dbstore", "dbstore/mysql", "dbstore/postgres", "dbstore/sqlite", "hosts", "stores"},
	"sessionctl":              {"cachestore", "core", "hosts", "hosts/feed", "stores", "hosts/gateway", "hosts/nethttp", "hosts/wazero", "conformance", "sessionctl/archive"},
	"sessionctl/archive":      {"core"},
	"cmd/sessionctl":          {"cmd/sessionctl/demo", "hosts", "hosts/metrics", "sessionctl", "stores", "stores/all"},
	"cmd/sessionctl/demo":     {"core", "hosts", "hosts/console", "hosts/metrics", "hosts/nethttp", "sessionctl", "stores"},
	"cachestore":              {"core", "hosts", "hosts/feed"},
	"cachestore/redis":        {"core", "hosts", "hosts/feed", "hosts/coalesce"},
	"dbstore":                 {"core", "hosts", "hosts/feed", "hosts/coalesce"},
	"dbstore/mysql":           {"core", "dbstore", "hosts", "hosts/feed", "hosts/coalesce"},
	"dbstore/postgres":        {"core", "dbstore", "hosts", "hosts/feed", "hosts/coalesce"},
	"dbstore/sqlite":          {"core", "dbstore", "hosts", "hosts/feed", "fsstore/owner", "hosts/coalesce"},
	"fsstore":                 {"core", "fsstore/internal/seglog", "fsstore/internal/slots", "hosts", "hosts/feed"},
	"fsstore/internal/place":  {"core", "hosts", "fsstore/owner"},
	"fsstore/internal/seglog": {"core", "fsstore/internal/place", "hosts", "hosts/feed", "hosts/coalesce"},
	"fsstore/internal/slots":  {"core", "fsstore/internal/place", "hosts"},
	"conformance":             {"core", "hosts", "hosts/feed", "hosts/values"},

	"caddy":                   {"core", "hosts", "hosts/gateway", "hosts/nethttp", "stores"},
	"caddy/tests/server":      {"caddy", "stores/all"},
	"stores/all/fresh/server": {"cachestore", "cachestore/redis", "core", "hosts", "hosts/feed", "hosts/nethttp", "stores", "stores/all"},
	"examples/account":        {"cachestore", "core", "hosts/console"},
	"examples/chi":            {"dbstore/sqlite"},
	"examples/cluster":        {"cachestore", "core", "hosts", "stores", "stores/all"},
	"examples/connect":        {"cachestore"},
	"examples/gorilla":        {"cachestore"},
	"examples/htmx":           {"cachestore"},
	"examples/mapstore":       {"core"},
	"examples/natsstore":      {"core", "hosts", "hosts/feed", "stores"},
	"examples/natsstore/cmd":  {"examples/natsstore", "sessionctl"},
	"examples/templ":          {"cachestore"},

	"hosts/migrate/gorilla/testdata/newprogram": {"hosts/migrate", "hosts/migrate/gorilla"},
}

// source is a Go file of the module.
type source struct {
	path string
	text []byte
	set  *token.FileSet
	file *ast.File
}

// parsed are the module's Go files, those of conformance/peers too. They are read
// once for all tests.
var parsed = sync.OnceValues(func() (all []source, err error) {
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), "readme-test-") || len(path) > 1 && d.Name()[0] == '.'):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(path), text, set, file})
		return nil
	})
	return all, err
})

// sources visits the module's Go files.
func sources(t *testing.T, visit func(path string, text []byte, set *token.FileSet, file *ast.File)) {
	t.Helper()
	all, err := parsed()
	require.NoError(t, err)
	require.Greater(t, len(all), 100, "the walk begins at the root of the module")
	for _, s := range all {
		visit(s.path, s.text, s.set, s.file)
	}
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	sources(t, func(path string, text []byte, set *token.FileSet, file *ast.File) {
		require.LessOrEqual(t, bytes.Count(text, []byte("\n")), maxFileLines, path)
		require.NotContains(t, filepath.Base(path), "util", path)
		if bytes.HasPrefix(text, []byte("// Code generated ")) {
			return
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				span := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
				if span > maxFunctionSpan {
					t.Errorf("%s: %s has %d lines, at most %d are allowed", path, f.Name.Name, span, maxFunctionSpan)
				}
			}
		}
	})
}

func TestArrowsPointDown(t *testing.T) {
	sources(t, func(path string, _ []byte, _ *token.FileSet, file *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(dir, "conformance/") {
			return
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if own, ok := strings.CutPrefix(name, module+"/"); ok {
				require.Contains(t, arrows[dir], own, "%s imports %s", path, name)
			}
			require.NotContains(t, name, "testify", "%s: users would inherit it", path)
			if dir == "core" && !strings.HasPrefix(name, module+"/internal/") {
				require.Contains(t, coreImports, name, "%s: the core is pure", path)
			}
		}
	})
}

// layers are the folders of CONTRIBUTING's list, the highest first.
func layers(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	_, list, ok := strings.Cut(string(text), "A test checks that.\n\n```\n")
	require.True(t, ok)
	list, _, _ = strings.Cut(list, "```")
	var dirs []string
	for line := range strings.Lines(list) {
		dirs = append(dirs, strings.Fields(line)[0])
	}
	return dirs
}

// layer is the line of the list that a package belongs to: the longest that it is in.
func layer(dirs []string, pkg string) (line int) {
	line = -1
	for i, dir := range dirs {
		in := pkg == dir || dir != "." && strings.HasPrefix(pkg, dir+"/")
		if in && (line < 0 || len(dir) > len(dirs[line])) {
			line = i
		}
	}
	return line
}

// apart are folders that nothing is built on: programs and tests.
var apart = []string{"release", "deploy", "examples", "dbstore/tests", "caddy/tests", "conformance"}

// TestTheListOfFoldersIsTrue: every folder of Go code is in it, each of its lines
// has code, and no package imports one of a higher line.
func TestTheListOfFoldersIsTrue(t *testing.T) {
	dirs := layers(t)
	used := map[int]bool{}
	sources(t, func(path string, _ []byte, _ *token.FileSet, file *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(path))
		from := layer(dirs, dir)
		used[from] = true
		for _, name := range apart {
			if dir == name || strings.HasPrefix(dir, name+"/") {
				return
			}
		}
		require.GreaterOrEqual(t, from, 0, "%s is in no folder of CONTRIBUTING's list", path)
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			own, ok := strings.CutPrefix(name, module+"/")
			if name == module {
				own, ok = ".", true
			}
			if ok {
				require.GreaterOrEqual(t, layer(dirs, own), from, "%s imports %s, which stands above it in CONTRIBUTING's list", path, name)
			}
		}
	})
	for i, dir := range dirs {
		require.True(t, used[i], "%s of CONTRIBUTING's list has no code", dir)
	}
}

func TestTheCoreReadsNoClockAndStartsNothing(t *testing.T) {
	sources(t, func(path string, _ []byte, set *token.FileSet, file *ast.File) {
		if !strings.HasPrefix(path, "core/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%v: a goroutine in the core", set.Position(n.Pos()))
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" {
					require.NotContains(t, clockNames, n.Sel.Name, "%v: the core has no clock", set.Position(n.Pos()))
				}
			}
			return true
		})
	})
}
