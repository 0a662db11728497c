package deploy

import (
	"bytes"
	"debug/elf"
	"encoding/pem"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestContainerRuns does by hand what an engine does with the Dockerfile: it calls
// the command that builds, makes a root of what is copied, and runs an application
// and the gateway in it as the user that it names. The application has a
// certificate of the authority that the root has, and a store of files as a volume.
func TestContainerRuns(t *testing.T) {
	i := dockerfile(t)
	root := t.TempDir()
	authority := i.unpack(t, root)
	volume := filepath.Join(root, "sessions")
	require.NoError(t, os.Mkdir(volume, 0o700))
	confined, owner := confinement(t, root)
	require.NoError(t, os.Chown(volume, owner, owner))
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(i.entrypoint[0], args...)
		cmd.Dir, cmd.SysProcAttr = "/", confined
		cmd.Env = []string{"SESSION_ENCRYPTION_KEY=" + key, "SESSION_STORE=file+shared:/sessions/store"}
		return cmd
	}

	app := start(t, run("demo", "--addr", "127.0.0.1:0", "--store", "file+shared:/sessions/store"))
	behind, err := url.Parse(app.url)
	require.NoError(t, err)
	var user atomic.Value // whom the gateway names
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		user.Store(r.In.Header.Get("Session-User"))
		r.SetURL(behind)
	}}
	origin := httptest.NewTLSServer(proxy)
	defer origin.Close()
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: origin.Certificate().Raw}), 0o644))
	_, port, _ := strings.Cut(strings.TrimPrefix(origin.URL, "https://"), ":")
	g := start(t, run("gateway", "--addr=127.0.0.1:0", "--admin=127.0.0.1:0", "--origin=https://127.0.0.1:"+port, "--public=/api/login", "--name=rockstar_session"))

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	visitor := &http.Client{Jar: jar}
	status, text := ask(t, visitor, "GET", g.url+"/api/session", "")
	require.Equal(t, http.StatusUnauthorized, status, text)
	status, text = ask(t, visitor, "POST", g.url+"/api/login", `{"user":"alice","password":"wonderland"}`)
	require.Equal(t, http.StatusOK, status, text)
	status, text = ask(t, visitor, "GET", g.url+"/api/session", "")
	require.Equal(t, http.StatusOK, status, text)
	require.Equal(t, "alice", user.Load())
	status, text = ask(t, http.DefaultClient, "GET", g.admin+"/readyz", "")
	require.Equal(t, http.StatusOK, status, text)
}

// unpack builds, and puts what is copied into a root. The authorities that a root
// trusts are a file of the test's: it returns which.
func (i image) unpack(t *testing.T, root string) (authority string) {
	t.Helper()
	out := t.TempDir()
	cache := strings.TrimSpace(call(t, "", nil, "go", "env", "GOCACHE"))
	command := strings.NewReplacer("/cache", cache, "/out/", out+"/").Replace(i.run)
	here := strings.Fields(call(t, "", nil, "go", "env", "GOOS", "GOARCH"))
	call(t, top, []string{"GOWORK=", "TARGETOS=" + here[0], "TARGETARCH=" + here[1]}, "sh", "-c", command)
	for _, c := range i.copies {
		from, to, _ := strings.Cut(c, " ")
		to = filepath.Join(root, to)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		if name, built := strings.CutPrefix(from, "/out/"); built {
			require.NoError(t, os.Rename(filepath.Join(out, name), to))
			isStatic(t, to)
			continue
		}
		require.Equal(t, "/etc/ssl/certs/ca-certificates.crt", from)
		authority = to
		require.NoError(t, os.WriteFile(authority, nil, 0o644))
	}
	require.NotEmpty(t, authority)
	return authority
}

func isStatic(t *testing.T, file string) {
	t.Helper()
	f, err := elf.Open(file)
	require.NoError(t, err)
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
	for _, p := range f.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "it needs a loader")
	}
}

// confinement is of a process that sees the root alone: as the image's user where
// the test is root, else as the test's own in a namespace.
func confinement(t *testing.T, root string) (*syscall.SysProcAttr, int) {
	t.Helper()
	require.NoError(t, os.Chmod(root, 0o755))
	if os.Geteuid() == 0 {
		const user = 65532
		return &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}, user
	}
	own := os.Getuid()
	confined := &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: own, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	try := exec.Command("/sessionctl", "version")
	try.Dir, try.SysProcAttr = "/", confined
	var out bytes.Buffer
	try.Stdout, try.Stderr = &out, &out
	if err := try.Run(); err != nil {
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, "call make test as root, or allow user namespaces")
		}
		t.Skipf("not run: a root of its own needs root, or user namespaces: %v %s", err, &out)
	}
	return confined, own
}
