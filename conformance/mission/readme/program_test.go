package readme

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// TestReadmeServerCounts: one visit, fifty at once and one more are 52 visits,
// and a cart keeps what twenty requests add at once. Each request is sent once.
func TestReadmeServerCounts(t *testing.T) {
	s := readmeServer(t)
	require.Equal(t, "visit 1 of \"\", in the cart: []\n", s.get("/", http.StatusOK))
	s.atOnce(50, func(int) { s.get("/", http.StatusOK) })
	require.Equal(t, "visit 52 of \"\", in the cart: []\n", s.get("/", http.StatusOK))

	s.atOnce(20, func(i int) {
		if status, text := s.send("POST", "/cart", url.Values{"item": {fmt.Sprintf("<item%d>", i)}}); status != http.StatusSeeOther {
			t.Error(status, text)
		}
	})
	cart := s.get("/", http.StatusOK)
	for i := range 20 {
		require.Contains(t, cart, fmt.Sprintf("\"<item%d>\"", i))
	}
	s.stop()
	require.Regexp(t, `^\S+ \S+ WARN sessions: development mode[^\n]*\n$`, s.log.String(), "and nothing else")
}

// TestReadmeServerSignsInAndOut: a copy of the cookie opens nothing afterwards.
func TestReadmeServerSignsInAndOut(t *testing.T) {
	s := readmeServer(t)
	s.get("/", http.StatusOK)
	status, text := s.send("POST", "/login", url.Values{"user": {"alice"}, "password": {"guess"}})
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, "Wrong name or password.\n", text)
	status, text = s.send("POST", "/login", url.Values{"user": {"alice"}, "password": {"wonderland"}})
	require.Equal(t, http.StatusSeeOther, status, text)
	require.Contains(t, s.get("/", http.StatusOK), `visit 2 of "alice"`)

	thief := &program{t: t, url: s.url, browser: http.Client{Jar: copied(t, s), CheckRedirect: s.browser.CheckRedirect}}
	require.Contains(t, thief.get("/", http.StatusOK), `of "alice"`)
	status, text = s.send("POST", "/logout", nil)
	require.Equal(t, http.StatusSeeOther, status, text)
	for _, visitor := range []*program{s, thief} {
		require.Contains(t, visitor.get("/", http.StatusOK), `visit 1 of ""`)
	}
}

// TestReadmeServerShowsThatItsStoreIsDown to its visitors and in its log: over
// files, which a test can take away.
func TestReadmeServerShowsThatItsStoreIsDown(t *testing.T) {
	s := readmeServer(t, `"context"`, "", "dbstore/sqlite", "fsstore",
		`sqlite.Open(context.Background(), "sessions.db", sqlite.Options{})`, `fsstore.Open(fsstore.Options{Dir: "sessions"})`)
	s.get("/", http.StatusOK)
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "sessions")))
	for range 3 {
		require.Contains(t, s.get("/", http.StatusServiceUnavailable), "The session store does not answer.")
	}
	s.stop()
	require.Equal(t, 1, strings.Count(s.log.String(), "ERROR sessions: session store failed"), "once a minute: %s", &s.log)
	require.Contains(t, s.log.String(), " count=1 error=")
}

// TestReadmeProgramIsForEverySystem: it is vetted for the three that people have. Other
// tests run it on this one, and make soak vets it for all.
func TestReadmeProgramIsForEverySystem(t *testing.T) {
	dir := source(t, code(t))
	systems := []string{"windows", "darwin", "linux"}
	for _, system := range systems[:soak.Rounds(t, 1, len(systems))] {
		cmd := exec.Command("go", "vet", "./"+dir)
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", system, out)
	}
}

// TestReadmeProgramIsShort: few lines before its first handler, and no switch that
// must not go to production.
func TestReadmeProgramIsShort(t *testing.T) {
	_, main, _ := strings.Cut(code(t), "func main() {\n")
	before, _, found := strings.Cut(main, "http.Handle(")
	require.True(t, found)
	require.LessOrEqual(t, strings.Count(before, "\n"), 12)
	for _, word := range []string{"panic", "Insecure", "Development"} {
		require.NotContains(t, code(t), word)
	}
}

// A program of the README, and one browser.
type program struct {
	t       *testing.T
	url     string
	dir     string // where it runs
	browser http.Client
	log     bytes.Buffer // to be read after stop
	stop    func()
}

func code(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "```go\npackage main")
	require.True(t, ok)
	code, _, _ := strings.Cut("package main"+rest, "```")
	return code
}

// source writes a program inside of this module, for its imports.
func source(t *testing.T, code string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(".", "readme-test-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(code), 0o600))
	return dir
}

// readmeServer builds the program as it stands in the README, but for a free port,
// which it then prints, and what otherwise has in pairs of old and new. It is in development mode, since Go's cookie
// jar sends Secure cookies by HTTPS alone.
func readmeServer(t *testing.T, otherwise ...string) *program {
	t.Helper()
	code := replaceOnce(t, code(t), `log.Fatal(http.ListenAndServe("localhost:8080", nil))`, `l, err := net.Listen("tcp", "127.0.0.1:0")
	fmt.Println(l.Addr(), err)
	log.Fatal(http.Serve(l, nil))`)
	code = replaceOnce(t, code, `"net/http"`, `"net"`+"\n\t"+`"net/http"`)
	for i := 0; i < len(otherwise); i += 2 {
		code = replaceOnce(t, code, otherwise[i], otherwise[i+1])
	}
	bin := filepath.Join(t.TempDir(), "server")
	out, err := exec.Command("go", "build", "-o", bin, "./"+source(t, code)).CombinedOutput()
	require.NoError(t, err, string(out))

	s := &program{t: t, dir: t.TempDir()}
	s.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cmd := exec.Command(bin)
	cmd.Dir, cmd.Stderr = s.dir, &s.log
	cmd.Env = append(os.Environ(), "SESSION_DEVELOPMENT=true", "PASSWORD_OF_alice=wonderland",
		"SESSION_ENCRYPTION_KEY="+fmt.Sprintf("%x", "a key of 32 bytes for this test:"))
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s.stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	s.url = "http://" + strings.Fields(line)[0]
	s.browser.Jar, err = cookiejar.New(nil)
	require.NoError(t, err)
	return s
}

// copied is a jar with what a thief has of a browser.
func copied(t *testing.T, s *program) http.CookieJar {
	t.Helper()
	at, err := url.Parse(s.url)
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	jar.SetCookies(at, s.browser.Jar.Cookies(at))
	return jar
}

func replaceOnce(t *testing.T, text, old, new string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, old), old)
	return strings.Replace(text, old, new, 1)
}

func (s *program) get(path string, status int) string {
	got, text := s.send("GET", path, nil)
	if got != status {
		s.t.Errorf("%s: %d %s", path, got, text)
	}
	return text
}

// send sends a request once. It may be called by several goroutines.
func (s *program) send(method, path string, form url.Values) (status int, text string) {
	q, err := http.NewRequest(method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err.Error()
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := s.browser.Do(q)
	if err != nil {
		return 0, err.Error()
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, err.Error()
	}
	return a.StatusCode, string(body)
}

// atOnce makes n calls that begin together.
func (s *program) atOnce(n int, call func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { call(i) })
	}
	all.Wait()
}
