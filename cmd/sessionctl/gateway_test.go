package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

const webSocket = "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// origin is an application with sessions in a store. Its socket knows nothing of them.
func origin(t *testing.T, store hosts.Store) *httptest.Server {
	t.Helper()
	m, err := hosts.New(store, hosts.Config{Key: core.NewSecret(testKey), AllowInsecure: true})
	require.NoError(t, err)
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	pages := http.NewServeMux()
	pages.Handle("POST /login", mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		return s.Login(r.FormValue("user"), 0)
	}))
	pages.Handle("POST /logout", mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Destroy() }))
	all := http.NewServeMux()
	all.Handle("/", mw.Handler(pages))
	all.HandleFunc("GET /socket", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(conn, rw)
	})
	server := httptest.NewServer(all)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		require.NoError(t, m.Close())
	})
	return server
}

// post sends a form's fields and returns the cookie that the answer sets.
func post(t *testing.T, url, cookie string) (set string) {
	t.Helper()
	r, err := http.NewRequest("POST", url, nil)
	require.NoError(t, err)
	r.Header.Set("Cookie", cookie)
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	require.Equal(t, http.StatusOK, a.StatusCode)
	set, _, _ = strings.Cut(a.Header.Get("Set-Cookie"), ";")
	return set
}

// echo says a word and hears it.
func echo(t *testing.T, conn net.Conn, in *bufio.Reader) {
	t.Helper()
	_, err := io.WriteString(conn, "word\n")
	require.NoError(t, err)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "word\n", line)
}

// TestALogoutClosesTheTunnelOfTheGateway: the gateway is a process of its own, and the
// application where the visitor logs out another. They share an SQLite file.
func TestALogoutClosesTheTunnelOfTheGateway(t *testing.T) {
	for _, cache := range []string{"", "?cache=8MiB"} {
		t.Run("store"+cache, func(t *testing.T) {
			name := "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
			withStore(t, name, func(store hosts.Store) {
				site := origin(t, store)
				args := []string{"gateway", "--origin", site.URL, "--addr", "127.0.0.1:0", "--store", name + cache}
				cmd := call{args: args, env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.command(t)
				out, err := cmd.StdoutPipe()
				require.NoError(t, err)
				cmd.Stderr = os.Stderr
				require.NoError(t, cmd.Start())
				defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
				line, err := bufio.NewReader(out).ReadString('\n')
				require.NoError(t, err)
				gate := strings.TrimSuffix(strings.TrimPrefix(line, "http://"), "/\n")

				socket := func(user string) (cookie string, conn net.Conn, in *bufio.Reader) {
					cookie = post(t, site.URL+"/login?user="+user, "")
					conn, err := net.Dial("tcp", gate)
					require.NoError(t, err)
					t.Cleanup(func() { _ = conn.Close() })
					_ = conn.SetDeadline(time.Now().Add(exitTime))
					fmt.Fprint(conn, webSocket, "Cookie: ", cookie, "\r\n\r\n")
					in = bufio.NewReader(conn)
					a, err := http.ReadResponse(in, nil)
					require.NoError(t, err)
					require.Equal(t, http.StatusSwitchingProtocols, a.StatusCode)
					echo(t, conn, in)
					return cookie, conn, in
				}
				alice, _, hers := socket("alice")
				_, his, hisIn := socket("bob")
				asked := time.Now()
				post(t, site.URL+"/logout", alice)
				acknowledged := time.Now()
				_, err = hers.ReadByte()
				require.Error(t, err)
				require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the tunnel is open after the logout")
				t.Logf("closed at most %v after the request, of which %v are after the acknowledgement",
					time.Since(asked).Round(time.Millisecond), time.Since(acknowledged).Round(time.Millisecond))
				echo(t, his, hisIn)
			})
		})
	}
}
