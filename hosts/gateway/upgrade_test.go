package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
)

const webSocketFields = "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// ask sends a request as it is written, and returns the connection and the answer.
func ask(t testing.TB, addr net.Addr, head string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, head+"\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	a, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	return conn, in, a
}

func (s *site) openSocket(addr net.Addr, cookie string) (net.Conn, *bufio.Reader, *http.Response) {
	return ask(s.t, addr, "GET /socket HTTP/1.1\r\nHost: x\r\nCookie: "+cookie+"\r\n"+webSocketFields)
}

// greet says a word over a WebSocket, which is answered by the origin.
func greet(t testing.TB, conn net.Conn, in *bufio.Reader) {
	t.Helper()
	_, err := io.WriteString(conn, "world\n")
	require.NoError(t, err)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello world\n", line)
}

func TestWebSocket(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	conn, in, a := s.openSocket(s.server.Listener.Addr(), s.login("alice"))
	require.Equal(t, http.StatusSwitchingProtocols, a.StatusCode)
	greet(t, conn, in)
	_, _, a = s.openSocket(s.server.Listener.Addr(), "rockstar_session=forged")
	require.Equal(t, http.StatusUnauthorized, a.StatusCode)
}

// TestNothingElseIsTunneled: what is sent after a switch to another protocol,
// such as h2c, would pass the rules with any identity.
func TestNothingElseIsTunneled(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	for _, fields := range []string{
		"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
		"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
		"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
		"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
		"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
		"Upgrade: websocket\r\n",
	} {
		_, _, a := ask(t, s.server.Listener.Addr(), "GET /public/x HTTP/1.1\r\nHost: x\r\n"+fields)
		require.Equal(t, http.StatusOK, a.StatusCode, "the request is answered without the switch")
		for _, name := range []string{"Upgrade", "Http2-Settings", "Connection"} {
			require.NotContains(t, s.seen.Load().Header, name, fields)
		}
	}
	_, _, a := ask(t, s.server.Listener.Addr(), "POST /public/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"+webSocketFields)
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.NotContains(t, s.seen.Load().Header, "Upgrade", "a WebSocket begins with GET")
}

// TestAnOriginThatSwitchesUnasked is taken for one that fails.
func TestAnOriginThatSwitchesUnasked(t *testing.T) {
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = origin.Close() })
	switches := make(chan string, 1)
	go func() {
		for {
			conn, err := origin.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\n%s\r\n", <-switches)
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	s := newSite(t, gateway.Options{Origin: &url.URL{Scheme: "http", Host: origin.Addr().String()}}, hosts.Config{})
	for _, c := range []struct{ asked, answer string }{
		{"Connection: Upgrade\r\nUpgrade: h2c\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n"},
		{"", "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
		{"", ""},
		{webSocketFields, "Connection: Upgrade\r\nUpgrade: h2c\r\n"},
	} {
		switches <- c.answer
		_, _, a := ask(t, s.server.Listener.Addr(), "GET /public/x HTTP/1.1\r\nHost: x\r\n"+c.asked)
		require.Equal(t, http.StatusBadGateway, a.StatusCode, c)
	}
}

// TestTunnelsEndWithTheirSession: a logout at the origin closes the visitor's WebSocket
// and event stream, and nobody else's.
func TestTunnelsEndWithTheirSession(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	alice, bob := s.login("alice"), s.login("bob")
	hers, herIn, a := s.openSocket(s.server.Listener.Addr(), alice)
	require.Equal(t, http.StatusSwitchingProtocols, a.StatusCode)
	his, hisIn, a := s.openSocket(s.server.Listener.Addr(), bob)
	require.Equal(t, http.StatusSwitchingProtocols, a.StatusCode)
	events := s.do("POST", "/events", func(r *http.Request) {
		r.Header.Set("Cookie", alice)
		body, _ := io.Pipe() // never ends by itself
		r.Body = body
	})
	require.Equal(t, http.StatusOK, events.StatusCode)
	n, err := s.manager.Revoke(t.Context(), hosts.Query{User: "alice"})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = herIn.ReadByte()
	require.Error(t, err, "the socket is open after the logout")
	_, err = io.ReadAll(events.Body)
	require.Error(t, err, "the stream goes on after the logout")
	_ = hers.Close()
	greet(t, his, hisIn)
}
