package fibersessions_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// open returns a middleware over a memory store.
func open(t *testing.T, o nethttp.Options) (*nethttp.Middleware, *cachestore.Store) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	manager, err := hosts.New(store, hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32]),
		CookieName: "sid", AllowInsecure: true, NoCleanup: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, manager.Close()) })
	mw, err := nethttp.New(manager, o)
	require.NoError(t, err)
	return mw, store
}

// visitor is a client with a cookie jar.
func visitor(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := &http.Client{Jar: jar, Transport: &http.Transport{}, Timeout: 20 * time.Second}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func get(t *testing.T, c *http.Client, url string, header ...string) (status int, body string, h http.Header) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(text), resp.Header
}

// TestNothingPointsIntoFasthttpsMemory keeps sessions and requests beyond their
// handlers, while fasthttp uses the memory of those for others.
func TestNothingPointsIntoFasthttpsMemory(t *testing.T) {
	var mu sync.Mutex
	kept, requests := map[string]*nethttp.Session{}, map[string]*http.Request{}
	mw, _ := open(t, nethttp.Options{Tenant: func(r *http.Request) string {
		mu.Lock()
		defer mu.Unlock()
		requests[r.URL.Query().Get("i")] = r
		return ""
	}})
	app := fiber.New()
	app.Use(fibersessions.New(mw))
	app.Get("/", func(c fiber.Ctx) error {
		s, err := fibersessions.From(c)
		if err == nil {
			err = s.Put("i", strings.Clone(c.Query("i")))
		}
		mu.Lock()
		defer mu.Unlock()
		kept[strings.Clone(c.Query("i"))] = s
		return err
	})
	url := listen(t, app)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	const requestsMade = 200
	for i := range requestsMade {
		status, _, _ := get(t, client, fmt.Sprintf("%s/?i=%d", url, i), "User-Agent", fmt.Sprintf("agent %d", i), "X-I", fmt.Sprint(i), "X-I", "again")
		require.Equal(t, 200, status)
	}
	for i := range requestsMade {
		n := fmt.Sprint(i)
		require.Equal(t, "agent "+n, kept[n].UserAgent())
		value, err := kept[n].Get("i")
		require.NoError(t, err)
		require.Equal(t, n, value)
		r := requests[n]
		require.Equal(t, []string{n, "again"}, r.Header["X-I"])
		require.Empty(t, r.Header["Host"])
		require.Equal(t, []string{n, "/?i=" + n, "GET", strings.TrimPrefix(url, "http://")},
			[]string{r.Header.Get("X-I"), r.RequestURI, r.Method, r.Host})
	}
}

// TestCookiesOfSeveralFields: HTTP allows several Cookie fields, and several
// cookies of one name.
func TestCookiesOfSeveralFields(t *testing.T) {
	mw, _ := open(t, nethttp.Options{})
	app := fiber.New()
	app.Use(fibersessions.New(mw))
	app.Get("/login", func(c fiber.Ctx) error {
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		return s.Login("alice", 0)
	})
	app.Get("/", func(c fiber.Ctx) error {
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		return c.SendString(s.User())
	})
	url := listen(t, app)
	_, _, h := get(t, visitor(t), url+"/login")
	cookie, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
	for _, fields := range [][]string{{cookie}, {"a=1; " + cookie}, {"a=1", cookie}, {"sid=garbage; " + cookie}, {"sid=garbage", cookie}, {cookie, "sid="}} {
		var header []string
		for _, f := range fields {
			header = append(header, "Cookie", f)
		}
		_, body, _ := get(t, visitor(t), url+"/", header...)
		require.Equal(t, "alice", body, fields)
	}
}

// TestStreamsAndSocketsOutliveTheirRequest: their functions may read and end the
// session, and the manager's verbs store at any time.
func TestStreamsAndSocketsOutliveTheirRequest(t *testing.T) {
	mw, store := open(t, nethttp.Options{})
	l := &late{mw: mw, begin: make(chan struct{}), errs: make(chan error, 8)}
	app := fiber.New()
	app.Use(fibersessions.New(mw))
	app.Get("/login", use(func(_ fiber.Ctx, s *nethttp.Session) error {
		return errors.Join(s.Put("kept", 1), s.Login("alice", 0))
	}))
	app.Get("/stream", use(l.stream))
	app.Get("/socket", use(l.socket))
	url := listen(t, app)
	for _, path := range []string{"/stream", "/socket"} {
		client := visitor(t)
		get(t, client, url+"/login")
		r, err := http.NewRequest(http.MethodGet, url+path, nil)
		require.NoError(t, err)
		if path == "/socket" {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "test")
		}
		resp, err := client.Do(r)
		require.NoError(t, err)
		require.Equal(t, path == "/socket", len(resp.Cookies()) == 1)
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "alice\n", line)
		require.Equal(t, 1, store.Stats().Sessions)
		l.begin <- struct{}{}
		for i, want := range []error{hosts.ErrNoValue, nethttp.ErrCommitted, nethttp.ErrCommitted, nethttp.ErrCommitted, nil, nil} {
			require.ErrorIs(t, <-l.errs, want, "%s %d", path, i)
		}
		require.NoError(t, resp.Body.Close())
		require.Zero(t, store.Stats().Sessions)
	}
}

// late uses a session when its handler has returned.
type late struct {
	mw    *nethttp.Middleware
	begin chan struct{}
	errs  chan error
}

func (l *late) stream(c fiber.Ctx, s *nethttp.Session) error {
	return c.SendStreamWriter(func(w *bufio.Writer) {
		fmt.Fprintln(w, s.User())
		_ = w.Flush()
		l.use(s)
	})
}

func (l *late) socket(c fiber.Ctx, s *nethttp.Session) error {
	c.Status(http.StatusSwitchingProtocols)
	c.Set("Connection", "Upgrade")
	c.Set("Upgrade", "test")
	c.RequestCtx().Hijack(func(conn net.Conn) {
		fmt.Fprintln(conn, s.User())
		l.use(s)
	})
	return s.Renew() // the answer that upgrades can bring a cookie
}

func (l *late) use(s *nethttp.Session) {
	<-l.begin
	_, err := s.Get("missing")
	l.errs <- err
	_, err = s.Take("kept")
	l.errs <- err
	l.errs <- s.Put("late", 1)
	l.errs <- s.Login("mallory", 0)
	l.errs <- l.mw.Manager().Set(context.Background(), s.ID(), "stored", 1)
	l.errs <- s.Destroy()
}
