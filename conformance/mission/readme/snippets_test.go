package readme

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// known are the packages that snippets use by their names.
var known = map[string]string{
	"context": "context", "fmt": "fmt", "errors": "errors", "log": "log", "http": "net/http", "httptest": "net/http/httptest", "os": "os",
	"strconv": "strconv", "strings": "strings", "testing": "testing", "time": "time", "slog": "log/slog", "url": "net/url", "netip": "net/netip", "sql": "database/sql",
	"gin": "github.com/gin-gonic/gin", "echo": "github.com/labstack/echo/v5", "fiber": "github.com/gofiber/fiber/v3", "chi": "github.com/go-chi/chi/v5",
	"scs": "github.com/alexedwards/scs/v2",
}

// own are those of this repository.
var own = map[string]string{
	"sessions": "", "sessionstest": "/sessionstest", "hosts": "/hosts", "core": "/core", "nethttp": "/hosts/nethttp", "gateway": "/hosts/gateway", "console": "/hosts/console",
	"cachestore": "/cachestore", "fsstore": "/fsstore", "dbstore": "/dbstore", "sqlite": "/dbstore/sqlite", "postgres": "/dbstore/postgres",
	"mysql": "/dbstore/mysql", "redis": "/cachestore/redis", "stores": "/stores", "sessionctl": "/sessionctl", "conformance": "/conformance",
	"wazero": "/hosts/wazero", "values": "/hosts/values", "metrics": "/hosts/metrics", "otel": "/hosts/otel", "migrate": "/hosts/migrate", "scsmigrate": "/hosts/migrate/scs", "gorillamigrate": "/hosts/migrate/gorilla",
}

// given is what a snippet may use without saying where it comes from, unless it
// declares it.
var given = map[string]string{
	"s": "*sessions.Session", "r": "*http.Request", "w": "http.ResponseWriter", "ctx": "context.Context", "app": "*sessions.Middleware",
	"mw": "*nethttp.Middleware", "manager": "*hosts.Manager", "m": "*hosts.Manager", "store": "hosts.Store", "mux": "*http.ServeMux", "next": "http.Handler",
	"t": "*testing.T", "old": "core.Secret", "fresh": "core.Secret", "when": "time.Time", "account": "http.Handler", "engine": "*gin.Engine", "oldManager": "*scs.SessionManager",
	"middleware": "*sessions.Middleware", "session": "*hosts.Session", "addr": "string", "keyPairs": "[][]byte", "id": "core.ID", "key": "core.Secret", "messages": "chan string",
}

// inTests is what snippets about tests use.
var inTests = map[string]string{
	"app": "*sessionstest.App", "alice": "*sessionstest.Visitor", "page": "http.Handler", "router": "http.Handler", "config": "sessions.Config",
}

// aboutUsers is what the snippets about the sign-in use of an application.
const aboutUsers = `
type User struct{ Name, PasswordHash string; Disabled bool; Roles []string }

func (User) Verify(password string) bool { return false }

type table struct{}

func (table) ByName(ctx context.Context, name string) (u User, err error) { return u, sql.ErrNoRows }
func (table) SetPassword(ctx context.Context, name, password string) (u User, err error) { return u, nil }
func (table) Verify(ctx context.Context, name, password string) bool { return false }

var users table
var changeEmail, payout, keys http.Handler
`

var fence = regexp.MustCompile("(?ms)^ *```go\n(.*?)^ *```")

// TestSnippetsCompile: each piece of Go in the documents is a program, a
// declaration or the body of a function, and compiles.
func TestSnippetsCompile(t *testing.T) {
	dir, err := os.MkdirTemp(".", "readme-test-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	pages, err := filepath.Glob("../../../docs/*.md")
	require.NoError(t, err)
	pages = slices.DeleteFunc(pages, func(p string) bool { return strings.HasSuffix(p, "write-a-store.md") }) // its example's test has it
	pages = append(pages, "../../../README.md", "../../README.md")
	places := map[string]string{}
	for p, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for i, m := range fence.FindAllStringSubmatch(string(text), -1) {
			name := fmt.Sprintf("p%d_%d", p, i)
			places[name] = fmt.Sprintf("%s, piece %d", filepath.Base(page), i+1)
			require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name, "snippet.go"), []byte(whole(page, m[1])), 0o600))
		}
	}
	out, _ := exec.Command("go", "build", "-gcflags=-e", "./"+dir+"/...").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "#") || strings.Contains(line, "declared and not used") || strings.Contains(line, "imported and not used") || strings.Contains(line, "is not used") {
			continue
		}
		place := ""
		for name, p := range places {
			if strings.Contains(line, "/"+name+"/") {
				place = p
			}
		}
		t.Errorf("%s: %s", place, line)
	}
}

// whole makes a package of a snippet.
func whole(page, code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if trimmed := strings.TrimSpace(line); trimmed != "..." {
			lines = append(lines, line)
		}
	}
	code = strings.Join(lines, "")
	if strings.Contains(code, "package main\n") {
		return code
	}
	if cut := regexp.MustCompile(`(?ms)^import (\(.*?^\)|"[^"]*")$`); cut.MatchString(code) {
		code = cut.ReplaceAllString(code, "") // the list below has them
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+code, 0); err != nil {
		code = "func _() {\n" + code + "\n}\n"
	}
	if strings.HasSuffix(page, "sign-in.md") {
		if code += aboutUsers; !strings.Contains(code, "func stamp(") {
			code += "func stamp(u User) string { return u.Name }\n"
		}
	}
	code += "\n" + declared(page, code)
	var imports []string
	for _, list := range []map[string]string{known, own} {
		for name, path := range list {
			if !regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(code) {
				continue
			}
			if strings.Contains(code, "c echo.Context") { // of echo 4
				path = strings.Replace(path, "echo/v5", "echo/v4", 1)
			}
			if _, ours := own[name]; ours {
				path = "github.com/rockstar-web/sessions" + path
			}
			imports = append(imports, fmt.Sprintf("import %s %q\n", name, path))
		}
	}
	slices.Sort(imports)
	return "package p\n" + strings.Join(imports, "") + code
}

// declared has a variable for each name that a snippet uses without declaring it.
func declared(page, code string) (text string) {
	names := map[string]string{}
	for name, of := range given {
		names[name] = of
	}
	if strings.HasSuffix(page, "testing.md") {
		for name, of := range inTests {
			names[name] = of
		}
		text += "type Cart []string\nvar database any\ntype site struct { Sessions *sessions.Middleware; http.Handler }\nfunc newShop(any, sessions.Config) (*site, error) { return nil, nil }\n"
	}
	if strings.HasSuffix(page, "getting-started.md") {
		text += "type Cart struct{ Items []string }\nfunc check(name, password string) (string, error) { return name, nil }\n"
	}
	if strings.Contains(code, "mystore.") {
		text += "type opener struct{}\nfunc (opener) Open(string) (stores.Store, error) { return nil, nil }\nvar mystore opener\n"
	}
	if strings.Contains(code, "open(t, way.Addr())") {
		text += "func open(*testing.T, string) hosts.Store { return nil }\n"
	} else if strings.Contains(code, "(t, open") {
		text += "func open(*testing.T) hosts.Store { return nil }\n"
	}
	if strings.Contains(code, "openMine(") {
		text += "func openMine(*testing.T) hosts.Store { return nil }\n"
	}
	for name, of := range names {
		topLevel := regexp.MustCompile(`(?m)^(var|func|type) ` + name + `\b`).MatchString(code)
		if !topLevel && regexp.MustCompile(`\b`+name+`\b`).MatchString(code) {
			text += fmt.Sprintf("var %s %s\n", name, of)
		}
	}
	return text
}
