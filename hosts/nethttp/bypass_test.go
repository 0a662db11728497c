package nethttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

type outerKey struct{}

// outerOf is the writer around Host.Handler, by which a handler bypasses it.
func outerOf(r *http.Request) http.ResponseWriter {
	return r.Context().Value(outerKey{}).(http.ResponseWriter)
}

// under puts a middleware's writer around Host.Handler.
func under(wrap func(http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w = wrap(w)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), outerKey{}, w)))
		})
	}
}

type (
	embedding struct { // the usual logging middleware
		http.ResponseWriter
		status int
	}
	unwrapping    struct{ embedding }
	hiding        struct{ w http.ResponseWriter }
	tellingWriter struct {
		hiding
		written bool
	}
)

func (w *embedding) WriteHeader(status int)          { w.status = status; w.ResponseWriter.WriteHeader(status) }
func (w *unwrapping) Unwrap() http.ResponseWriter    { return w.ResponseWriter }
func (w hiding) Header() http.Header                 { return w.w.Header() }
func (w hiding) Write(p []byte) (int, error)         { return w.w.Write(p) }
func (w hiding) WriteHeader(status int)              { w.w.WriteHeader(status) }
func (w *tellingWriter) Write(p []byte) (int, error) { w.written = true; return w.w.Write(p) }
func (w *tellingWriter) Written() bool               { return w.written }

// outers are the writers that may lie around ours. page: HTTP/1 gives the client
// the error page, because the server's own writer can be reached.
var outers = map[string]struct {
	page bool
	wrap func(http.ResponseWriter) http.ResponseWriter
}{
	"bare":      {true, func(w http.ResponseWriter) http.ResponseWriter { return w }},
	"embedding": {true, func(w http.ResponseWriter) http.ResponseWriter { return &embedding{ResponseWriter: w} }},
	"by value":  {true, func(w http.ResponseWriter) http.ResponseWriter { return struct{ http.ResponseWriter }{w} }},
	"unwrapping": {true, func(w http.ResponseWriter) http.ResponseWriter {
		return &unwrapping{embedding{ResponseWriter: &embedding{ResponseWriter: w}}}
	}},
	"hiding":  {false, func(w http.ResponseWriter) http.ResponseWriter { return hiding{w} }},
	"telling": {false, func(w http.ResponseWriter) http.ResponseWriter { return &tellingWriter{hiding: hiding{w}} }},
}

// eachOuter runs f under every outer writer, over HTTP/1.1 and HTTP/2.
func eachOuter(t *testing.T, f func(t *testing.T, o setup, page bool)) {
	for name, outer := range outers {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/http2=", http2), func(t *testing.T) {
				f(t, setup{http2: http2, outside: under(outer.wrap)}, outer.page && !http2)
			})
		}
	}
}

// TestABypassIsNoSuccess: whatever a request does that needs its cookie or is to
// be stored is answered 500, or cut off, and nothing of it is stored.
func TestABypassIsNoSuccess(t *testing.T) {
	for name, do := range map[string]func(*nethttp.Session) error{
		"login":   func(v *nethttp.Session) error { return v.Login("bob", 0) },
		"put":     func(v *nethttp.Session) error { return v.Put("n", 2) },
		"renew":   (*nethttp.Session).Renew,
		"refresh": (*nethttp.Session).Refresh,
		"delete":  func(v *nethttp.Session) error { return v.Delete("n") },
	} {
		t.Run(name, func(t *testing.T) {
			eachOuter(t, func(t *testing.T, o setup, page bool) {
				s := open(t, o)
				b := s.browser()
				id := b.login("alice")
				b.put("n", 1)
				before, _ := s.stored(id)
				kept := make(chan *nethttp.Session, 1)
				a := b.send(t.Context(), "POST", func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Page", "of the handler")
					v, err := nethttp.From(r)
					if err == nil {
						err = do(v)
					}
					kept <- v
					fmt.Fprint(outerOf(r), "done", err)
				})
				if page {
					require.NoError(t, a.err)
					require.Equal(t, 500, a.status)
					require.Contains(t, a.body, "a fault of this server")
					require.Empty(t, a.header["X-Page"])
				} else {
					require.Error(t, a.err)
				}
				require.ErrorIs(t, await(t, kept).Put("n", 3), nethttp.ErrBypassed)
				after, _ := s.stored(id)
				require.Equal(t, before, after)
				require.Equal(t, "alice", b.user())
				require.Equal(t, 1, b.value("n"))
				require.Equal(t, 1, strings.Count(s.log.String(), "level=ERROR msg=\"sessions: changes of a session are not stored\""), s.log.String())
			})
		})
	}
}

// TestALogoutThatIsBypassed is done at once, as ever; that its cookie did not
// reach the browser is an error.
func TestALogoutThatIsBypassed(t *testing.T) {
	eachOuter(t, func(t *testing.T, o setup, page bool) {
		s := open(t, o)
		b := s.browser()
		b.login("alice")
		a := b.send(t.Context(), "POST", func(_ http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			if err == nil {
				err = v.Destroy()
			}
			fmt.Fprint(outerOf(r), err)
		})
		require.Equal(t, !page, a.err != nil)
		if page {
			require.Equal(t, 500, a.status)
		}
		require.Empty(t, s.all())
	})
}

// TestABypassThatOnlyReadIsServed, logged once, and still counts as a use.
func TestABypassThatOnlyReadIsServed(t *testing.T) {
	eachOuter(t, func(t *testing.T, o setup, _ bool) {
		o.Config = hosts.Config{IdleTimeout: 30 * time.Minute}
		s := open(t, o)
		b := s.browser()
		b.login("alice")
		for range 5 {
			s.clock.pass(29 * time.Minute)
			a := b.send(t.Context(), "POST", func(_ http.ResponseWriter, r *http.Request) {
				v, err := nethttp.From(r)
				fmt.Fprint(outerOf(r), v.User(), err)
			})
			require.NoError(t, a.err)
			require.Equal(t, "alice<nil>", a.body)
		}
		require.Equal(t, 1, strings.Count(s.log.String(), "a session was read for an answer without Vary: Cookie"), s.log.String())
	})
}

// TestABypassThatAsksForNothingIsNobodysBusiness.
func TestABypassThatAsksForNothingIsNobodysBusiness(t *testing.T) {
	eachOuter(t, func(t *testing.T, o setup, _ bool) {
		s := open(t, o)
		a := s.browser().get(func(_ http.ResponseWriter, r *http.Request) { fmt.Fprint(outerOf(r), "static") })
		require.Equal(t, "static", a.body)
		require.NotContains(t, s.log.String(), "level=ERROR")
	})
}

// TestABypassBeforeTheSessionIsAskedFor, or before a write that goes the right
// way, is one all the same; and informational answers are none.
func TestABypassBeforeTheSessionIsAskedFor(t *testing.T) {
	eachOuter(t, func(t *testing.T, o setup, page bool) {
		s := open(t, o)
		a := s.browser().send(t.Context(), "POST", func(w http.ResponseWriter, r *http.Request) {
			outerOf(r).WriteHeader(http.StatusAccepted)
			v, err := nethttp.From(r)
			if err == nil {
				err = v.Login("alice", 0)
			}
			s.note(err)
			if _, err := io.WriteString(w, "done"); s.note(err) == nil {
				t.Error("the answer goes on")
			}
		})
		require.Equal(t, !page, a.err != nil)
		require.NotEqual(t, http.StatusAccepted, a.status)
		require.Empty(t, s.all())
		a = s.browser().send(t.Context(), "POST", func(w http.ResponseWriter, r *http.Request) {
			outerOf(r).WriteHeader(http.StatusEarlyHints)
			v, err := nethttp.From(r)
			if err == nil {
				err = v.Login("alice", 0)
			}
			fmt.Fprint(w, err)
		})
		require.Equal(t, "<nil>", a.body)
		require.Len(t, s.all(), 1)
	})
}

// TestARenewalLostByABypass is made up for: its cookie comes with a later answer.
func TestARenewalLostByABypass(t *testing.T) {
	eachOuter(t, func(t *testing.T, o setup, _ bool) {
		o.Config = hosts.Config{RenewAfter: 10 * time.Minute, RenewGrace: time.Minute}
		s := open(t, o)
		b := s.browser()
		b.login("alice")
		for range 3 {
			s.clock.pass(11 * time.Minute)
			a := b.send(t.Context(), "POST", func(_ http.ResponseWriter, r *http.Request) {
				v, err := nethttp.From(r)
				fmt.Fprint(outerOf(r), v.User(), err)
			})
			require.Equal(t, "alice<nil>", a.body)
			require.Empty(t, a.ours())
		}
		require.Equal(t, "alice", b.user())
	})
}

// TestAHijackPastTheWriter leaves the connection to the handler, and is logged.
func TestAHijackPastTheWriter(t *testing.T) {
	over := make(chan struct{}) // the answer comes before the handler returns
	s := open(t, setup{outside: func(next http.Handler) http.Handler {
		bare := under(outers["bare"].wrap)(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			bare.ServeHTTP(w, r)
			close(over)
		})
	}})
	a := s.browser().send(t.Context(), "POST", func(_ http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if err == nil {
			err = v.Login("alice", 0)
		}
		conn, rw, err2 := http.NewResponseController(outerOf(r)).Hijack()
		if s.note(err) != nil || s.note(err2) != nil {
			t.Error(err, err2)
			return
		}
		fmt.Fprint(rw, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nmine")
		_, _ = rw.Flush(), conn.Close()
	})
	require.Equal(t, "mine", a.body)
	<-over
	require.Empty(t, s.all())
	require.Contains(t, s.log.String(), "changes of a session are not stored")
}

// TestABypassOfWritersWithoutAServer: a recorder's, a script's. There a panic is
// all that can be done, which net/http takes for an abort.
func TestABypassOfWritersWithoutAServer(t *testing.T) {
	s := open(t, setup{})
	bypass := func(w http.ResponseWriter) {
		s.mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			if err == nil {
				err = v.Login("alice", 0)
			}
			fmt.Fprint(w, err)
		})).ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	}
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { bypass(httptest.NewRecorder()) })
	late := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { bypass(w) }), patience, "late")
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		late.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
	})
	require.Empty(t, s.all())
}
