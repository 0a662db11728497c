package deploy

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
)

// TestPodIsConfined: no root, nothing to write to, no key in clear.
func TestPodIsConfined(t *testing.T) {
	for name, values := range valuesFiles(t) {
		o, err := render(t, values)
		require.NoError(t, err)
		pod := o.deployment.Spec.Template.Spec
		require.Len(t, pod.Containers, 1, name)
		c := pod.Containers[0]
		require.True(t, *pod.SecurityContext.RunAsNonRoot, name)
		require.NotZero(t, *pod.SecurityContext.RunAsUser, name)
		require.Equal(t, core.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type, name)
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, name)
		require.False(t, *c.SecurityContext.AllowPrivilegeEscalation, name)
		require.Equal(t, []core.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, name)
		require.False(t, *pod.AutomountServiceAccountToken, name)
		secret := map[string]bool{} // whether it may be missing
		for _, e := range c.Env {
			require.Empty(t, e.Value, "%s: %s", name, e.Name)
			require.Equal(t, "shop-sessions", e.ValueFrom.SecretKeyRef.Name)
			secret[e.Name] = e.ValueFrom.SecretKeyRef.Optional != nil && *e.ValueFrom.SecretKeyRef.Optional
		}
		require.Equal(t, map[string]bool{"SESSION_STORE": false, "SESSION_ENCRYPTION_KEY": true, "SESSION_ENCRYPTION_KEYS": true}, secret, name)
		const grace = 30 // seconds that the gateway gives to requests that run
		require.GreaterOrEqual(t, *pod.TerminationGracePeriodSeconds, grace+c.Lifecycle.PreStop.Sleep.Seconds, name)
	}
}

// TestPodRuns: the command line that the chart makes is one that the command
// takes, and every probe has its answer.
func TestPodRuns(t *testing.T) {
	program, err := sessionctl()
	require.NoError(t, err)
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			o, err := render(t, values)
			require.NoError(t, err)
			c := o.deployment.Spec.Template.Spec.Containers[0]
			store := "file+shared:" + filepath.Join(t.TempDir(), "sessions")
			env := []string{"SESSION_STORE=" + store, "SESSION_ENCRYPTION_KEY=" + key}
			call(t, "", env, program, "migrate")
			s := start(t, here(t, program, c.Args, env))
			for _, p := range []*core.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				require.Equal(t, "admin", p.HTTPGet.Port.StrVal)
				status, text := ask(t, http.DefaultClient, "GET", s.admin+p.HTTPGet.Path, "")
				require.Equal(t, http.StatusOK, status, text)
			}
			if name == "check" {
				require.Equal(t, http.StatusOK, askCheck(t, s, "/login"))
				require.Equal(t, http.StatusUnauthorized, askCheck(t, s, "/account"))
				require.Equal(t, http.StatusForbidden, askCheck(t, s, ""))
			}

			require.NoError(t, os.RemoveAll(strings.TrimPrefix(store, "file+shared:")))
			status := func(p *core.Probe) int {
				code, _ := ask(t, http.DefaultClient, "GET", s.admin+p.HTTPGet.Path, "")
				return code
			}
			require.Equal(t, http.StatusServiceUnavailable, status(c.StartupProbe), "a pod without its store does not begin")
			require.Equal(t, http.StatusOK, status(c.LivenessProbe), "and is not restarted for it later")
			if name == "full" { // readinessAsksStore
				require.Equal(t, http.StatusServiceUnavailable, status(c.ReadinessProbe))
			} else {
				require.Equal(t, http.StatusOK, status(c.ReadinessProbe), "the gateway's own 503 reaches visitors")
			}
		})
	}
}

// askCheck asks as nginx does, with the URI in the field that the values name.
func askCheck(t *testing.T, s *server, uri string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
	require.NoError(t, err)
	r.Header.Set("X-Original-Uri", uri)
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	return a.StatusCode
}

// here is a command line of the chart or the unit on this machine, on ports that
// are free, and with a certificate of the test.
func here(t *testing.T, program string, args, env []string) *exec.Cmd {
	t.Helper()
	found := 0
	var mine []string
	for _, a := range args {
		switch flag, _, _ := strings.Cut(a, "="); flag {
		case "--addr", "--admin":
			found++
			a = flag + "=127.0.0.1:0"
		case "--cert", "--key":
			cert, certKey := certificate(t)
			a = flag + "=" + map[string]string{"--cert": cert, "--key": certKey}[flag]
		}
		mine = append(mine, a)
	}
	require.Equal(t, 2, found, "%q has both addresses", args)
	cmd := exec.Command(program, mine...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// certificate writes those of httptest's own server.
func certificate(t *testing.T) (cert, certKey string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		return writePEM(t, filepath.Join(dir, name), kind, der)
	}
	pair := s.TLS.Certificates[0]
	return write("tls.crt", "CERTIFICATE", pair.Certificate[0]), write("tls.key", "PRIVATE KEY", pkcs8(t, pair.PrivateKey))
}

// TestUnitRuns: the command takes the line of the systemd unit, too.
func TestUnitRuns(t *testing.T) {
	program, err := sessionctl()
	require.NoError(t, err)
	text, err := os.ReadFile("systemd/sessions-gateway.service")
	require.NoError(t, err)
	_, line, found := strings.Cut(string(text), "\nExecStart=/usr/local/bin/sessionctl ")
	require.True(t, found)
	line, _, _ = strings.Cut(line, "\n")
	env := []string{"SESSION_STORE=file+shared:" + filepath.Join(t.TempDir(), "sessions"), "SESSION_ENCRYPTION_KEY=" + key}
	call(t, "", env, program, "migrate")
	s := start(t, here(t, program, strings.Fields(line), env))
	status, _ := ask(t, http.DefaultClient, "GET", s.admin+"/readyz", "")
	require.Equal(t, http.StatusOK, status)
}
