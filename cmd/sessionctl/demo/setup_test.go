package demo_test

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/sessionctl"
	"github.com/stretchr/testify/require"
)

func TestSessionsSurviveARestart(t *testing.T) {
	for name, store := range map[string]string{
		"default": "", "database": "database", "own file": "sqlite:own/s.db", "log": "file:log", "files": "file+shared:files",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			r := start(t, demo.Options{Store: store})
			v := r.visitor()
			v.login(t, "alice")
			r.stop()
			require.Contains(t, r.warn.String(), "sessionctl: warning: the key is a development key")

			again := start(t, demo.Options{Store: store})
			v.url = again.url
			v.api(t, "GET", "/api/session", "", 200, `"user":"alice"`)
		})
	}
}

// TestNoPageShowsTheAddressOfTheStore, in which a password may be.
func TestNoPageShowsTheAddressOfTheStore(t *testing.T) {
	prefix := "demo-" + rand.Text() + ":"
	v := start(t, demo.Options{Store: servers.Redis(t) + "?prefix=" + prefix}).visitor()
	v.login(t, "alice")
	_, page := v.do(t, "GET", "/session", "")
	require.Contains(t, page, "Record in Redis")
	require.Contains(t, page, "then it is removed", "no cleanup")
	require.NotContains(t, page, prefix)
	v.do(t, "POST", "/api/logout", "")
}

func TestDevelopmentKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, sessionctl.DevelopmentKeyFile)
	start(t, demo.Options{Store: "file:" + dir}).stop()
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Regexp(t, `^[0-9a-f]{64}\n$`, string(text))
	left, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Len(t, left, 1, "no file is left over")

	run := func() error { return tryRun(t, demo.Options{Store: "file:" + dir}) }
	require.NoError(t, os.Chmod(path, 0o644))
	require.ErrorContains(t, run(), "others may have read it")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.WriteFile(path, []byte("short\n"), 0o600))
	err = run()
	require.ErrorContains(t, err, path)
	require.NotContains(t, err.Error(), "short")
}

// tryRun runs a demo that should refuse to.
func tryRun(t *testing.T, o demo.Options) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stopTime)
	defer cancel()
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	return demo.Run(ctx, o, io.Discard, io.Discard)
}

func TestGivenKeyNeedsNoWarning(t *testing.T) {
	dir := t.TempDir()
	key := make([]byte, 32)
	rand.Read(key)
	r := start(t, demo.Options{Store: "file:" + dir, Keys: core.KeyRing{{Bytes: core.NewSecret(key)}}})
	_, page := r.visitor().do(t, "GET", "/", "")
	r.stop()
	require.NotContains(t, page, "Development key")
	require.Empty(t, r.warn.String())
	require.NoFileExists(t, filepath.Join(dir, sessionctl.DevelopmentKeyFile))
}

func TestRefusedOptions(t *testing.T) {
	for want, o := range map[string]demo.Options{
		"allowed: memory:, cache": {Store: "nowhere:"},
		"IdleTimeout":             {Store: "memory:", Idle: -time.Second},
		"CleanupInterval":         {Store: "memory:", Cleanup: -time.Second},
		"--addr":                  {Store: "memory:", Addr: "127.0.0.1:http:"},
		"no such file":            {Store: "memory:", Cert: "none.pem", CertKey: "none.pem"},
	} {
		require.ErrorContains(t, tryRun(t, o), want)
	}
}

func TestPagesAreCompressedAndAssetsKept(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:"})
	v := r.visitor()
	v.header.Set("Accept-Encoding", "gzip")
	a, body := v.do(t, "GET", "/cart", "")
	require.Equal(t, "gzip", a.Header.Get("Content-Encoding"))
	require.Contains(t, a.Header.Values("Vary"), "Accept-Encoding")
	unzip, err := gzip.NewReader(strings.NewReader(body))
	require.NoError(t, err)
	page, err := io.ReadAll(unzip)
	require.NoError(t, err)
	require.Less(t, len(body), len(page)/2)
	for _, asset := range regexp.MustCompile(`/static/[^"]*`).FindAllString(string(page), -1) {
		a, _ := v.do(t, "GET", asset, "")
		require.Equal(t, http.StatusOK, a.StatusCode, asset)
		require.Contains(t, a.Header.Get("Cache-Control"), "immutable")
	}
}

func TestHTTPS(t *testing.T) {
	cert, key, pool := certificate(t)
	r := start(t, demo.Options{Store: "memory:", Cert: cert, CertKey: key})
	require.Regexp(t, "^https://", r.url)
	v := r.visitor()
	v.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	a, _ := v.do(t, "POST", "/api/login", `{"user":"alice","password":"wonderland"}`)
	require.Equal(t, 2, a.ProtoMajor)
	require.Regexp(t, `^__Host-rockstar_session=[\w-]{124}; Path=/; HttpOnly; Secure; SameSite=Lax$`, a.Header.Get("Set-Cookie"))
	v.api(t, "GET", "/api/session", "", 200, `"user":"alice"`)
	v.http.CloseIdleConnections()
}

// certificate makes one for 127.0.0.1 and returns its two files.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(certFile, text, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return certFile, keyFile, pool
}
