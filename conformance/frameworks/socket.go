package frameworks

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

const socketKey = "dGhlIHNhbXBsZSBub25jZQ=="

// Accept is the Sec-WebSocket-Accept of the handshake that the table makes (RFC
// 6455, section 4.2.2).
func Accept() string {
	sum := sha1.Sum([]byte(socketKey + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Frame is a short text as a server sends it in a WebSocket.
func Frame(text string) []byte { return append([]byte{0x81, byte(len(text))}, text...) }

// socket makes a WebSocket handshake as a visitor, and returns the answer and the
// first text that comes.
func (b *browser) socket(path string) (*http.Response, string) {
	t := b.s.t
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: app\r\nCookie: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", path, b.cookie(), socketKey)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp, string(body)
	}
	head := make([]byte, 2)
	_, err = io.ReadFull(r, head)
	require.NoError(t, err)
	require.Equal(t, byte(0x81), head[0], "a whole text frame")
	text := make([]byte, head[1])
	_, err = io.ReadFull(r, text)
	require.NoError(t, err)
	return resp, string(text)
}
