package forward

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

var sessionctl = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "sessionctl")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Dir = "../../cmd/sessionctl"
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// withCommand starts an application, the command as the page has it, and the proxy.
func withCommand(t testing.TB, p proxy) *site {
	t.Helper()
	page, err := os.ReadFile("../../docs/gateway.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^sessionctl (gateway --check .*)$`).FindSubmatch(page)
	require.NotNil(t, line)
	args := strings.Fields(string(line[1]))
	if !p.authRequest {
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--check-nginx" })
	}
	name := "file+shared:" + filepath.Join(t.TempDir(), "s")
	store, closer, err := stores.Open(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() { closer.Close() })
	s := newSite(t, store, hosts.Config{})
	bin, err := sessionctl()
	require.NoError(t, err)
	cmd := exec.Command(bin, append(args, "--store", name, "--addr", "127.0.0.1:0")...)
	cmd.Env = append(os.Environ(), "SESSION_ENCRYPTION_KEY="+aKeyText)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		require.NoError(t, cmd.Wait())
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	check := strings.Trim(strings.TrimPrefix(url, "http://"), "/\n")
	s.addr = p.run(t, check, s.application.Listener.Addr().String())
	return s
}

func TestCommand(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		s := withCommand(t, p)
		a, seen := s.raw("GET", "/account")
		require.Equal(t, http.StatusUnauthorized, a.StatusCode)
		require.Nil(t, seen)
		a, _ = s.raw("GET", "/account", "Sec-Fetch-Mode: navigate")
		require.Equal(t, "/login?return_to=%2Faccount", a.Header.Get("Location"))
		cookie := s.login("alice")
		a, seen = s.raw("GET", "/account", cookie)
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Equal(t, []string{"alice"}, seen.Header["Session-User"])
		s.raw("POST", "/logout", "Content-Length: 0", cookie)
		a, seen = s.raw("GET", "/account", cookie)
		require.Equal(t, http.StatusUnauthorized, a.StatusCode)
		require.Nil(t, seen)
	})
}
