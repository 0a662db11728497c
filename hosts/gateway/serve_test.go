package gateway_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
)

// serve begins Serve; stop ends it and returns when no more visitors are taken.
func (s *site) serve() (addr net.Addr, stop func(), done chan error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(s.t.Context())
	done = make(chan error, 1)
	go func() { done <- s.gateway.Serve(ctx, listener, nil, "", "") }()
	return listener.Addr(), func() {
		cancel()
		for {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}, done
}

func TestServeWaitsForWebSockets(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	cookie := s.login("alice")
	addr, stop, done := s.serve()
	conn, in, a := s.openSocket(addr, cookie)
	require.Equal(t, 101, a.StatusCode)
	stop()
	select {
	case err := <-done:
		require.Fail(t, "Serve returned while a WebSocket was open", "%v", err)
	default:
	}
	greet(t, conn, in)
	require.NoError(t, conn.Close())
	require.NoError(t, <-done)
}

func TestServeCutsWebSocketsOff(t *testing.T) {
	s := newSite(t, gateway.Options{Grace: 50 * time.Millisecond}, hosts.Config{})
	cookie := s.login("alice")
	addr, stop, done := s.serve()
	conn, in, a := s.openSocket(addr, cookie)
	require.Equal(t, 101, a.StatusCode)
	stop()
	require.ErrorContains(t, <-done, "requests still ran after 50ms and were cut off")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err := in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
