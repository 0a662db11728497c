package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// pipes is a listener whose connections are made in this process, so that a
// test's clock may stand still or jump.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return near, nil
}

// pass lets time go by in the bubble of a synctest, where nobody waits for it.
func pass(d time.Duration) { <-time.After(d) }

// street is a gateway before an origin, with nothing but pipes between.
type street struct {
	*testing.T
	visitors *pipes
	read     chan error // what became of each body at the origin, once its connection is free again
}

func inStreet(t *testing.T, limit time.Duration, h2 bool, do func(*street)) {
	synctest.Test(t, func(t *testing.T) {
		s := &street{t, newPipes(), make(chan error, 1)}
		origin, behind := &http.Server{Handler: s}, newPipes()
		go func() { _ = origin.Serve(behind) }()
		store, err := cachestore.Open(cachestore.Options{})
		require.NoError(t, err)
		m, err := hosts.New(store, hosts.Config{Key: testKey, NoCleanup: true})
		require.NoError(t, err)
		defer m.Close()
		mw, err := nethttp.New(m, nethttp.Options{})
		require.NoError(t, err)
		transport := &http.Transport{DialContext: behind.dial}
		defer transport.CloseIdleConnections()
		g, err := gateway.New(gateway.Options{
			Origin: &url.URL{Scheme: "http", Host: "origin.test"}, Middleware: mw, Transport: transport, BodyTimeout: limit,
			Rules: []gateway.Rule{{Prefix: "/public", Access: gateway.Public}}, Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		front := &http.Server{Handler: g, Protocols: new(http.Protocols)}
		front.Protocols.SetHTTP1(!h2)
		front.Protocols.SetUnencryptedHTTP2(h2)
		go func() { _ = front.Serve(s.visitors) }()
		do(s)
		require.NoError(t, front.Close())
		require.NoError(t, origin.Close())
	})
}

// ServeHTTP is the origin.
func (s *street) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/public/early": // answers first, and reads then
		pass(time.Second)
		require.NoError(s, http.NewResponseController(w).EnableFullDuplex())
		require.NoError(s, http.NewResponseController(w).Flush())
	case "/public/late": // reads when it is ready
		pass(10 * time.Minute)
	case "/public/deaf": // does not read
		pass(time.Second)
		s.read <- errors.New("not read")
		w.Header().Set("Connection", "close")
		return
	case "/public/thinks": // answers long after it has read
		_, _ = io.Copy(io.Discard, r.Body)
		pass(10 * time.Minute)
	}
	n, err := io.Copy(io.Discard, r.Body)
	s.read <- err
	fmt.Fprint(w, n)
}

// trickle sends a request and then its body, byte by byte.
func (s *street) trickle(path string, every time.Duration, bytes int) (*http.Response, net.Conn) {
	conn, err := s.visitors.dial(s.Context(), "", "")
	require.NoError(s, err)
	sent := make(chan struct{})
	s.Cleanup(func() {
		_ = conn.Close()
		<-sent
	})
	go func() {
		defer close(sent)
		_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path, bytes)
		for n := 0; n < bytes && err == nil; n++ {
			pass(every)
			_, err = conn.Write([]byte{'x'})
		}
	}()
	a, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(s, err)
	return a, conn
}

func TestASlowBodyHoldsNoOrigin(t *testing.T) {
	for _, c := range []struct {
		name, path    string
		limit, every  time.Duration
		bytes, status int
		within        time.Duration
	}{
		{"a byte a minute", "/public/x", 0, time.Minute, 1000, 408, 61 * time.Second},
		{"a byte a second", "/public/x", 0, time.Second, 1000, 408, 61 * time.Second},
		{"an own limit", "/public/x", 50 * time.Millisecond, 20 * time.Millisecond, 1000, 408, time.Second},
		{"nothing at all", "/public/x", 0, time.Hour, 1, 408, 61 * time.Second},
		{"in time", "/public/x", 0, time.Second, 59, 200, time.Minute},
		{"before a slow origin", "/public/late", 0, 0, 100, 200, 11 * time.Minute},
		{"before an origin that thinks", "/public/thinks", 0, time.Second, 10, 200, 11 * time.Minute},
		{"an origin that does not read", "/public/deaf", 0, time.Hour, 1000, 200, 2 * time.Second},
		{"nobody is signed in", "/account", 0, time.Minute, 1000, 401, 61 * time.Second},
		{"an ambiguous path", "//", 0, time.Minute, 1000, 400, 61 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inStreet(t, c.limit, false, func(s *street) {
				begun := time.Now()
				a, conn := s.trickle(c.path, c.every, c.bytes)
				require.Equal(t, c.status, a.StatusCode)
				require.LessOrEqual(t, time.Since(begun), c.within)
				if c.status == 200 || c.status == 408 {
					err := <-s.read
					if err == nil {
						require.False(t, a.Close)
						return
					}
				}
				if c.status == 408 {
					require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
				}
				require.True(t, a.Close, "what comes of the body later is taken for no other request")
				_, err := io.Copy(io.Discard, conn)
				require.NoError(t, err, "it is closed")
				require.LessOrEqual(t, time.Since(begun), c.within+time.Second)
			})
		})
	}
}

// TestAnUploadThatMakesProgressPasses: the limit is for each 32 KiB.
func TestAnUploadThatMakesProgressPasses(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		inStreet(t, 0, h2, func(s *street) {
			const strides, stride = 20, 32 << 10
			a, err := s.client(h2).Post("http://x/public/x", "", &slowly{every: 50 * time.Second, times: strides, bytes: stride})
			require.NoError(t, err)
			text, err := io.ReadAll(a.Body)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(strides*stride), string(text))
		})
	}
}

func TestASlowBodyOverHTTP2(t *testing.T) {
	inStreet(t, 0, true, func(s *street) {
		a, err := s.client(true).Post("http://x/public/x", "", &slowly{every: time.Second, times: 1000, bytes: 1})
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestTimeout, a.StatusCode)
		require.Error(t, <-s.read)
		require.NoError(t, a.Body.Close())
	})
}

// TestAStreamMayBeSilent once the origin has begun to answer.
func TestAStreamMayBeSilent(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		inStreet(t, 0, h2, func(s *street) {
			a, err := s.client(h2).Post("http://x/public/early", "", &slowly{every: time.Hour, times: 3, bytes: 1})
			require.NoError(t, err)
			text, err := io.ReadAll(a.Body)
			require.NoError(t, err)
			require.Equal(t, "3", string(text))
			require.Equal(t, !h2, a.Close)
		})
	}
}

func (s *street) client(h2 bool) *http.Client {
	transport := &http.Transport{DialContext: s.visitors.dial, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!h2)
	transport.Protocols.SetUnencryptedHTTP2(h2)
	s.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// slowly is a body of which a part comes now and then.
type slowly struct {
	every        time.Duration
	times, bytes int
	left         int // of the part
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.left == 0 {
		if s.times == 0 {
			return 0, io.EOF
		}
		pass(s.every)
		s.times, s.left = s.times-1, s.bytes
	}
	n := min(len(p), s.left)
	s.left -= n
	return n, nil
}
