package forward

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const patience = time.Minute

// proxy is one that asks the check, set up by the files of this folder.
type proxy struct {
	name        string
	authRequest bool
	storeDown   int // its answer when the store does not, and so the check answers 503
	checkDown   int // when the check does not answer
	ambiguous   int // its answer to a path that can be read in two ways
	denied      int
	files       []string
	change      []string // in the files, for a test: old, new, ...
	command     func(t testing.TB, dir string) *exec.Cmd
}

var proxies = []proxy{
	{name: "nginx", authRequest: true, storeDown: http.StatusInternalServerError, checkDown: http.StatusInternalServerError,
		ambiguous: http.StatusForbidden, denied: http.StatusForbidden, files: []string{"nginx.conf"}, command: nginx},
	{name: "Caddy", storeDown: http.StatusServiceUnavailable, checkDown: http.StatusBadGateway,
		ambiguous: http.StatusBadRequest, denied: http.StatusNotFound, files: []string{"Caddyfile"}, command: caddy},
	{name: "HAProxy", storeDown: http.StatusServiceUnavailable, checkDown: http.StatusServiceUnavailable,
		ambiguous: http.StatusBadRequest, denied: http.StatusNotFound, files: []string{"haproxy.cfg", "session-check.lua"}, command: haproxy},
}

// each runs a test with every proxy.
func each(t *testing.T, test func(*testing.T, proxy)) {
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) { test(t, p) })
	}
}

// need skips, loudly, a test whose program is missing; where CI is set it fails.
func need(t testing.TB, program string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed; make tools installs it", program)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s is not installed; make tools installs it", program)
	return ""
}

// nginx runs the server of nginx.conf in one process, with nothing else around it.
func nginx(t testing.TB, dir string) *exec.Cmd {
	bin := need(t, "nginx")
	config := "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += kind + "_temp_path " + kind + ";\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.conf"), []byte(config+"include nginx.conf;\n}\n"), 0o600))
	return exec.Command(bin, "-p", dir, "-c", "main.conf", "-e", "stderr")
}

func haproxy(t testing.TB, dir string) *exec.Cmd {
	return exec.Command(need(t, "haproxy"), "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
}

// built is a Caddy of the version that ../../caddy is tested with.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "caddy")
	cmd := exec.Command("go", "build", "-o", path, "./server")
	cmd.Dir = "../../caddy/tests"
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func caddy(t testing.TB, dir string) *exec.Cmd {
	bin, err := built()
	require.NoError(t, err)
	file := filepath.Join(dir, "Caddyfile")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	global := fmt.Sprintf("{\nadmin off\nauto_https off\npersist_config off\nstorage file_system %q\n}\n", dir)
	require.NoError(t, os.WriteFile(file, append([]byte(global), text...), 0o600))
	return exec.Command(bin, "run", "--adapter", "caddyfile", "--config", file)
}

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "forward-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// run starts the proxy before an application, and returns its address. In its files
// nothing is changed but addresses, and the place of the Lua file.
func (p proxy) run(t testing.TB, check, application string) string {
	t.Helper()
	dir, addr := t.TempDir(), freeAddr(t)
	change := strings.NewReplacer(append(slices.Clone(p.change), "127.0.0.1:8080", addr, "127.0.0.1:8081", check, "127.0.0.1:3000", application, "/etc/haproxy/", dir+"/")...)
	for _, name := range p.files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(change.Replace(string(text))), 0o600))
	}
	start(t, p.command(t, dir), addr)
	return addr
}

// start runs a server until the test ends, and waits until it listens.
func start(t testing.TB, cmd *exec.Cmd, addr string) {
	t.Helper()
	log := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	ctx, ended := context.WithCancelCause(context.Background())
	go func() { ended(fmt.Errorf("the server has ended: %v", cmd.Wait())) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ctx.Done()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	late := time.After(patience)
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(context.Cause(ctx), log.String())
		case <-late:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
