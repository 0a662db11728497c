package nethttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// streaming is a server whose pages go on for long.
type streaming struct {
	*httptest.Server
	m        *hosts.Manager
	returned chan error // of each stream's handler: why
}

func stream(t *testing.T, o nethttp.Options) *streaming {
	t.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	m, err := hosts.New(store, hosts.Config{Key: siteKey, AllowInsecure: true})
	require.NoError(t, err)
	mw, err := nethttp.New(m, o)
	require.NoError(t, err)
	s := &streaming{m: m, returned: make(chan error, 10)}
	mux := http.NewServeMux()
	with := func(f nethttp.HandlerFunc) http.Handler { return mw.HandlerFunc(f) }
	mux.Handle("POST /login", with(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		return s.Login(r.FormValue("user"), 0)
	}))
	mux.Handle("POST /logout", with(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Destroy() }))
	mux.Handle("POST /put", with(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Put("n", 1) }))
	mux.Handle("GET /events", with(func(w http.ResponseWriter, r *http.Request, v *nethttp.Session) error {
		ended, err := v.Ended()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "data: hello %s\n\n", v.User())
		w.(http.Flusher).Flush()
		select {
		case <-ended:
			s.returned <- nil
		case <-r.Context().Done():
			s.returned <- context.Cause(r.Context())
		}
		return nil
	}))
	mux.Handle("GET /socket", with(func(w http.ResponseWriter, _ *http.Request, v *nethttp.Session) error {
		_ = v.User()
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return err
		}
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
		_ = rw.Flush()
		go func() {
			_, err := io.Copy(io.Discard, conn)
			_ = conn.Close()
			s.returned <- err
		}()
		return nil
	}))
	s.Server = httptest.NewServer(mw.Handler(mux))
	t.Cleanup(func() {
		s.Server.CloseClientConnections()
		s.Server.Close()
		require.NoError(t, m.Close())
		require.NoError(t, store.Close())
	})
	return s
}

// login returns a client that is signed in.
func (s *streaming) login(t *testing.T, user string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := &http.Client{Jar: jar}
	s.post(t, c, "/login?user="+user)
	return c
}

func (s *streaming) post(t *testing.T, c *http.Client, path string) {
	t.Helper()
	res, err := c.Post(s.URL+path, "", nil)
	require.NoError(t, err)
	_ = res.Body.Close()
	require.Equal(t, 200, res.StatusCode)
}

// events opens a stream and returns its body once it has begun.
func (s *streaming) events(t *testing.T, c *http.Client) *bufio.Reader {
	t.Helper()
	res, err := c.Get(s.URL + "/events")
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, 200, res.StatusCode)
	b := bufio.NewReader(res.Body)
	_, err = b.ReadString('\n')
	require.NoError(t, err)
	return b
}

// TestEnded: a stream hears of the logout of its own session, whoever ends it and
// however; not of another's, and not of a change.
func TestEnded(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *streaming, c *http.Client, id core.ID){
		"logout":     func(t *testing.T, s *streaming, c *http.Client, _ core.ID) { s.post(t, c, "/logout") },
		"new secret": func(t *testing.T, s *streaming, c *http.Client, _ core.ID) { s.post(t, c, "/login?user=alice") },
		"program": func(t *testing.T, s *streaming, _ *http.Client, id core.ID) {
			require.NoError(t, s.m.Destroy(t.Context(), id))
		},
		"everywhere": func(t *testing.T, s *streaming, _ *http.Client, _ core.ID) {
			n, err := s.m.Revoke(t.Context(), hosts.Query{User: "alice"})
			require.NoError(t, err)
			require.Equal(t, 1, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stream(t, nethttp.Options{})
			alice, bob := s.login(t, "alice"), s.login(t, "bob")
			s.events(t, alice)
			s.events(t, bob)
			page, _, err := s.m.Sessions(t.Context(), hosts.Query{User: "alice"}, core.ID{}, 0)
			require.NoError(t, err)
			s.post(t, alice, "/put")
			s.post(t, bob, "/put")
			end(t, s, alice, page[0].ID)
			require.NoError(t, <-s.returned)
			select {
			case err := <-s.returned:
				require.FailNow(t, "somebody else's stream has ended", "%v", err)
			default:
			}
		})
	}
}

// TestCloseEnded: with the option handlers that do not look end, too.
func TestCloseEnded(t *testing.T) {
	s := stream(t, nethttp.Options{CloseEnded: true})
	alice := s.login(t, "alice")
	body := s.events(t, alice)
	conn := socket(t, s, alice)
	s.post(t, alice, "/logout")
	require.ErrorContains(t, errorOf(<-s.returned, <-s.returned), "use of closed network connection")
	_, err := body.ReadString('x')
	require.Error(t, err)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// errorOf returns the error that is none of ours.
func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil && !strings.Contains(err.Error(), nethttp.ErrSessionEnded.Error()) {
			return err
		}
	}
	return nil
}

func socket(t *testing.T, s *streaming, c *http.Client) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	r, _ := http.NewRequest("GET", s.URL+"/socket", nil)
	for _, cookie := range c.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	r.Header.Set("Upgrade", "echo")
	r.Header.Set("Connection", "Upgrade")
	require.NoError(t, r.Write(conn))
	res, err := http.ReadResponse(bufio.NewReader(conn), r)
	require.NoError(t, err)
	require.Equal(t, 101, res.StatusCode)
	return conn
}

// TestCloseEndedNeedsAFeed, and says so at construction.
func TestCloseEndedNeedsAFeed(t *testing.T) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	m, err := hosts.New(struct{ hosts.Store }{store}, hosts.Config{Key: siteKey, NoCleanup: true})
	require.NoError(t, err)
	_, err = nethttp.New(m, nethttp.Options{CloseEnded: true})
	require.ErrorIs(t, err, hosts.ErrNoFeed)
	require.NoError(t, m.Close())
}

// marked is a memory store with the mark that caches need.
type marked struct {
	*cachestore.Store
	state atomic.Int64
	loads atomic.Int64
}

func (s *marked) Load(ctx context.Context, id core.ID) (core.Record, error) {
	s.loads.Add(1)
	return s.Store.Load(ctx, id)
}

func (s *marked) Follow(ctx context.Context) (feed.Follower, error) {
	f, err := s.Store.Follow(ctx)
	return markedFollower{f, s}, err
}

type markedFollower struct {
	feed.Follower
	s *marked
}

func (f markedFollower) Changes(ctx context.Context) (feed.Changes, error) {
	on := feed.State(f.s.state.Load()) == feed.On
	c, err := f.Follower.Changes(ctx)
	c.Caching = on
	return c, err
}

func (s *marked) EnableCaching(context.Context) error {
	if !s.state.CompareAndSwap(int64(feed.None), int64(feed.On)) && feed.State(s.state.Load()) != feed.On {
		return feed.ErrCachingOff
	}
	return nil
}

func (s *marked) CachingState(context.Context) (feed.State, error) {
	return feed.State(s.state.Load()), nil
}

func (s *marked) SetCaching(_ context.Context, to feed.State) error {
	s.state.Store(int64(to))
	return nil
}
