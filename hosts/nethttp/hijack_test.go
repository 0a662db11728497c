package nethttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// dial sends one upgrade request by hand and returns the connection.
func (b *browser) dial(h http.HandlerFunc) (net.Conn, *bufio.Reader) {
	t := b.s.t
	path := fmt.Sprint("/", b.s.number.Add(1))
	b.s.routes.Store(path, h)
	conn, err := net.Dial("tcp", b.s.server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\nCookie: %s=%s\r\n\r\n",
		path, cookieName, b.cookie)
	return conn, bufio.NewReader(conn)
}

// TestASocketKeepsItsSession: what was changed before the hijack is stored by
// then, and what is changed during the conversation when it ends.
func TestASocketKeepsItsSession(t *testing.T) {
	ended := make(chan bool, 16)
	s := open(t, setup{outside: telling(ended)})
	b := s.browser()
	b.login("alice")
	await(t, ended) // of the login
	await(t, ended) // and of asking who that is
	conn, r := b.dial(s.with(func(v *nethttp.Session, w http.ResponseWriter) error {
		s.counts()
		if err := v.Put("joined", true); err != nil {
			return err
		}
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		if got := s.counts(); got != [3]int64{0, 1, 0} {
			t.Error("stored too late", got)
		}
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, err := rw.ReadString('\n')
		if err != nil {
			return err
		}
		if err := v.Login("bob", 0); !errors.Is(err, nethttp.ErrHeadersSent) {
			t.Error("login on a socket:", err)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrHijacked) {
			t.Error("write after hijack:", err)
		}
		fmt.Fprint(rw, strings.ToUpper(line))
		_ = rw.Flush()
		return v.Put("said", strings.TrimSpace(line))
	}))
	status, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, status, "101")
	fmt.Fprint(conn, "hello\n")
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(rest), "HELLO\n"))
	await(t, ended)
	require.Equal(t, "hello", b.value("said"))
	require.Equal(t, true, b.value("joined"))
	require.Equal(t, "alice", b.user())
}

// TestAHijackThatNeedsACookieIsRefused, and the handler answers as if it had
// never tried.
func TestAHijackThatNeedsACookieIsRefused(t *testing.T) {
	s := open(t, setup{})
	known := s.browser()
	known.login("alice")
	for name, do := range map[string]func(v *nethttp.Session) error{
		"login":   func(v *nethttp.Session) error { return v.Login("alice", 0) },
		"renew":   func(v *nethttp.Session) error { return v.Renew() },
		"refresh": func(v *nethttp.Session) error { return v.Refresh() },
	} {
		a := known.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
			if err := do(v); err != nil {
				return err
			}
			if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(s.note(err), nethttp.ErrHeadersSent) {
				t.Error(name, err)
			}
			fmt.Fprint(w, "page")
			return nil
		})
		require.Equal(t, "page", a.body, name)
		require.Len(t, a.ours(), 1, name)
		require.Equal(t, "alice", known.user())
	}
	stranger := s.browser()
	a := stranger.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		if err := v.Put("n", 1); err != nil {
			return err
		}
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(s.note(err), nethttp.ErrHeadersSent) {
			t.Error("a new session was hijacked:", err)
		}
		return nil
	})
	require.Equal(t, 200, a.status)
	require.Equal(t, 1, stranger.value("n"))
}

// TestAStrangerMayHijack: nothing of a visitor without a session needs a cookie.
func TestAStrangerMayHijack(t *testing.T) {
	s := open(t, setup{})
	_, r := s.browser().dial(s.with(func(v *nethttp.Session, w http.ResponseWriter) error {
		if err := v.Refresh(); err != nil {
			return err
		}
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return err
		}
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_ = rw.Flush()
		return conn.Close()
	}))
	status, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, status, "101")
}

// TestAFailedHijackLeavesTheRequest as it was, whether the server cannot or
// the store does not.
func TestAFailedHijackLeavesTheRequest(t *testing.T) {
	s := open(t, setup{http2: true})
	b := s.browser()
	b.login("alice")
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		if err := v.Put("before", 1); err != nil {
			return err
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(s.note(err), http.ErrNotSupported) {
			t.Error("hijacked HTTP/2:", err)
		}
		if err := v.Put("after", 2); err != nil {
			return err
		}
		return v.Renew()
	})
	require.Equal(t, 200, a.status)
	require.Len(t, a.ours(), 1)
	require.Equal(t, 1, b.value("before"))
	require.Equal(t, 2, b.value("after"))

	s = open(t, setup{})
	b = s.browser()
	b.login("alice")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a = b.send(ctx, http.MethodGet, s.with(func(v *nethttp.Session, w http.ResponseWriter) error {
		if err := v.Put("n", 1); err != nil {
			return err
		}
		s.faults(always(conformance.Save, conformance.Fail))
		if _, _, err := w.(http.Hijacker).Hijack(); s.note(err) == nil {
			t.Error("hijacked with its change lost")
		}
		s.mend()
		fmt.Fprint(w, "page")
		return v.Put("late", 1)
	}))
	require.Equal(t, "page", a.body)
	require.Equal(t, 1, b.value("n"))
}
