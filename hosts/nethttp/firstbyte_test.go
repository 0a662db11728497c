package nethttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// ways are all by which a handler can bring the first byte about.
var ways = []struct {
	name   string
	method string
	status int
	begin  func(w http.ResponseWriter) error
}{
	{"Write", "GET", 200, func(w http.ResponseWriter) error { _, err := w.Write([]byte("x")); return err }},
	{"WriteHeader", "GET", 201, func(w http.ResponseWriter) error { w.WriteHeader(201); return nil }},
	{"WriteString", "GET", 200, func(w http.ResponseWriter) error { _, err := io.WriteString(w, "x"); return err }},
	{"Flush", "GET", 200, func(w http.ResponseWriter) error { w.(http.Flusher).Flush(); return nil }},
	{"FlushError", "GET", 200, func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }},
	{"ReadFrom", "GET", 200, func(w http.ResponseWriter) error {
		_, err := w.(io.ReaderFrom).ReadFrom(io.LimitReader(strings.NewReader("xy"), 1))
		return err
	}},
	{"Copy", "GET", 200, func(w http.ResponseWriter) error {
		_, err := io.Copy(w, io.LimitReader(strings.NewReader("xy"), 1))
		return err
	}},
	{"no content", "GET", 204, func(w http.ResponseWriter) error { w.WriteHeader(204); return nil }},
	{"not modified", "GET", 304, func(w http.ResponseWriter) error { w.WriteHeader(304); return nil }},
	{"redirect", "GET", 303, func(w http.ResponseWriter) error { w.Header().Set("Location", "/"); w.WriteHeader(303); return nil }},
	{"HEAD", "HEAD", 200, func(w http.ResponseWriter) error { _, err := w.Write([]byte("x")); return err }},
	{"nothing", "GET", 200, nil},
}

// each runs a test over HTTP/1.1 and HTTP/2.
func each(t *testing.T, f func(t *testing.T, o setup)) {
	t.Run("HTTP1", func(t *testing.T) { f(t, setup{}) })
	t.Run("HTTP2", func(t *testing.T) { f(t, setup{http2: true}) })
}

func TestCommitBeforeTheFirstByte(t *testing.T) {
	each(t, func(t *testing.T, o setup) {
		s := open(t, o)
		for _, way := range ways {
			b := s.browser()
			var during [3]int64
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			a := b.send(ctx, way.method, s.with(func(v *nethttp.Session, w http.ResponseWriter) error {
				if err := v.Put("way", way.name); err != nil {
					return err
				}
				s.counts()
				if way.begin == nil {
					return nil
				}
				err := way.begin(w)
				during = s.counts()
				return err
			}))
			require.NoError(t, a.err, way.name)
			require.Equal(t, way.status, a.status, way.name)
			if way.begin != nil {
				require.Equal(t, [3]int64{0, 1, 0}, during, way.name)
			}
			require.Len(t, a.ours(), 1, way.name)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"), way.name)
			require.Equal(t, way.name, b.value("way"))
		}
	})
}

// sendfile sees what reaches the server's own ReadFrom.
type sendfile struct {
	http.ResponseWriter
	bytes chan<- int64
}

func (w sendfile) ReadFrom(r io.Reader) (int64, error) {
	n, err := w.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
	w.bytes <- n
	return n, err
}

func TestSendfileIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page")
	content := strings.Repeat("sendfile ", 20000)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	sent := make(chan int64, 1)
	s := open(t, setup{outside: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(sendfile{w, sent}, r)
		})
	}})
	b := s.browser()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if s.note(err) != nil || v.Put("page", 1) != nil {
			t.Error("no session")
		}
		http.ServeFile(w, r, path)
	})
	require.Equal(t, content, a.body)
	require.Equal(t, int64(len(content)), await(t, sent))
	require.Equal(t, 1, b.value("page"))
}

func TestEarlyHintsCommitNothing(t *testing.T) {
	each(t, func(t *testing.T, o setup) {
		s := open(t, o)
		b := s.browser()
		var hints atomic.Int64
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			if code == http.StatusEarlyHints && h.Get("Link") != "" && h.Get("Set-Cookie") == "" {
				hints.Add(1)
			}
			return nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		a := b.send(httptrace.WithClientTrace(ctx, trace), http.MethodGet,
			s.with(func(v *nethttp.Session, w http.ResponseWriter) error {
				if err := v.Put("early", true); err != nil {
					return err
				}
				w.Header().Set("Link", "</style.css>; rel=preload")
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusEarlyHints)
				if got := s.counts(); got != [3]int64{} {
					t.Error("committed by hints", got)
				}
				if err := v.Login("alice", 0); err != nil {
					return err
				}
				fmt.Fprint(w, "page")
				w.WriteHeader(http.StatusEarlyHints) // too late, and swallowed
				return nil
			}))
		require.Equal(t, 200, a.status)
		require.Equal(t, int64(2), hints.Load())
		require.NotContains(t, s.log.String(), "superfluous")
		require.Equal(t, "alice", b.user())
		require.Equal(t, true, b.value("early"))
	})
}

func TestSwitchingProtocolsCommits(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	up := b.copy()
	up.header.Set("Connection", "Upgrade")
	up.header.Set("Upgrade", "echo")
	during := make(chan [3]int64, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go up.send(ctx, http.MethodGet, s.with(func(v *nethttp.Session, w http.ResponseWriter) error {
		s.counts()
		if err := v.Put("up", 1); err != nil {
			return err
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		during <- s.counts()
		return nil
	}))
	require.Equal(t, [3]int64{0, 1, 0}, await(t, during))
	require.Equal(t, 1, b.value("up"))
}

func TestControllerReachesTheConnection(t *testing.T) {
	each(t, func(t *testing.T, o setup) {
		s := open(t, o)
		a := s.browser().visit(func(v *nethttp.Session, w http.ResponseWriter) error {
			rc := http.NewResponseController(w)
			for _, err := range []error{
				rc.SetReadDeadline(time.Now().Add(time.Hour)),
				rc.SetWriteDeadline(time.Now().Add(time.Hour)),
				rc.EnableFullDuplex(),
				v.Put("n", 1), // none of these was a first byte
				rc.Flush(),
			} {
				if err != nil {
					return err
				}
			}
			return nil
		})
		require.Equal(t, 200, a.status)
		require.Len(t, a.ours(), 1)
	})
}
