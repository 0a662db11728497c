package sessions_test

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
)

// TestReadmeServerCounts: one visit, fifty at once and one more are 52 visits,
// and a cart keeps what twenty requests add at once. Each request is sent once.
func TestReadmeServerCounts(t *testing.T) {
	s := readmeServer(t, "")
	require.Equal(t, "visit 1\n", s.get("/", http.StatusOK))
	s.atOnce(50, func(int) { s.get("/", http.StatusOK) })
	require.Equal(t, "visit 52\n", s.get("/", http.StatusOK))

	s.atOnce(20, func(i int) {
		item := fmt.Sprintf("<item%d>", i)
		status, text := s.send("POST", "/cart", url.Values{"item": {item}})
		if status != http.StatusOK || text != "added "+item+"\n" {
			t.Error(status, text)
		}
	})
	cart := s.get("/cart", http.StatusOK)
	require.Contains(t, cart, "20 in the cart: [")
	for i := range 20 {
		require.Contains(t, cart, fmt.Sprintf("<item%d>", i))
	}
	s.stop()
	require.Empty(t, s.log.String())
}

// TestReadmeServerShowsThatItsStoreIsDown to its visitors and in its log.
func TestReadmeServerShowsThatItsStoreIsDown(t *testing.T) {
	s := readmeServer(t, "")
	s.get("/", http.StatusOK)
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "sessions")))
	for range 3 {
		require.Contains(t, s.get("/", http.StatusServiceUnavailable), "The session store does not answer.")
	}
	s.stop()
	require.Equal(t, 1, strings.Count(s.log.String(), "ERROR sessions: session store failed"), "once a minute: %s", &s.log)
	require.Contains(t, s.log.String(), " count=1 error=")
}

// TestReadmeServerWithoutItsMiddleware is a fault of the program, not "try again".
func TestReadmeServerWithoutItsMiddleware(t *testing.T) {
	s := readmeServer(t, "mw.Handler(http.DefaultServeMux)")
	require.Contains(t, s.get("/", http.StatusInternalServerError), "The server has made a mistake")
	s.stop()
	require.Contains(t, s.log.String(), "wrap the handler in (*nethttp.Middleware).Handler")
}

// A server of the README, and one browser.
type readme struct {
	t       *testing.T
	url     string
	dir     string // where it runs
	browser http.Client
	log     bytes.Buffer // to be read after stop
	stop    func()
}

// readmeServer builds the program as it stands in the README, but for a free port,
// which it then tells, and without the handler that is named. It runs it.
func readmeServer(t *testing.T, without string) *readme {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "```go\npackage main")
	require.True(t, ok)
	code, _, _ := strings.Cut("package main"+rest, "```")
	if without != "" {
		code = replaceOnce(t, code, without, "nil")
		code = replaceOnce(t, code, "mw := must(", "_ = must(")
	}
	code = replaceOnce(t, code, `log.Fatal(http.ListenAndServe("localhost:8080", `,
		`l := must(net.Listen("tcp", "127.0.0.1:0")); fmt.Println(l.Addr()); log.Fatal(http.Serve(l, `)
	code = replaceOnce(t, code, `"net/http"`, `"net"`+"\n\t"+`"net/http"`)

	source, err := os.MkdirTemp(".", "readme-test-") // inside the module, for its imports
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(source) })
	require.NoError(t, os.WriteFile(filepath.Join(source, "main.go"), []byte(code), 0o600))
	bin := filepath.Join(t.TempDir(), "server")
	out, err := exec.Command("go", "build", "-o", bin, "./"+source).CombinedOutput()
	require.NoError(t, err, string(out))

	s := &readme{t: t, dir: t.TempDir()}
	cmd := exec.Command(bin)
	cmd.Dir, cmd.Stderr = s.dir, &s.log
	cmd.Env = append(os.Environ(), "SESSION_ENCRYPTION_KEY="+fmt.Sprintf("%x", "a key of 32 bytes for this test:"))
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s.stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(s.stop)
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	s.url = "http://" + strings.TrimSpace(addr)
	s.browser.Jar, err = cookiejar.New(nil)
	require.NoError(t, err)
	return s
}

func replaceOnce(t *testing.T, text, old, new string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, old), old)
	return strings.Replace(text, old, new, 1)
}

func (s *readme) get(path string, status int) string {
	got, text := s.send("GET", path, nil)
	if got != status {
		s.t.Errorf("%s: %d %s", path, got, text)
	}
	return text
}

// send sends a request once. It may be called by several goroutines.
func (s *readme) send(method, path string, form url.Values) (status int, text string) {
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
func (s *readme) atOnce(n int, call func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { call(i) })
	}
	all.Wait()
}
