package frameworks

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// firstByte answers with more than any buffer holds: were any of it sent before the
// session is stored, the failure could not replace it.
func (s *scene) firstByte() {
	large := strings.Repeat("x", 1<<20)
	b := s.serve(once(), Route{Path: "/large", Handle: with(func(v *nethttp.Session) (string, error) { return large, v.Put("flash", "kept") })})
	s.failing.Store(conformance.Save)
	a := b.post("/large")
	require.Equal(s.t, http.StatusServiceUnavailable, a.status)
	require.Less(s.t, len(a.body), 1000)
	s.failing.Store(conformance.Verb(""))
	a = b.post("/large")
	require.Equal(s.t, large, a.body)
	require.Equal(s.t, "kept", b.get("/").body)
}

func (s *scene) cannotSave() {
	b := s.serve(once(), Route{Path: "/own", Handle: func(c Ctx) error {
		c.Header("X-Own", "1")
		c.Header("Set-Cookie", "own=1")
		return note(c)
	}})
	for _, path := range []string{"/own", "/login"} {
		s.failing.Store(conformance.Save)
		a := b.post(path)
		require.Equal(s.t, http.StatusServiceUnavailable, a.status, path)
		require.Equal(s.t, "The session store does not answer. What this request changed may not be stored; try again.", a.body)
		require.Equal(s.t, "text/plain; charset=utf-8", a.header.Get("Content-Type"))
		require.Equal(s.t, "no-store", a.header.Get("Cache-Control"))
		require.Equal(s.t, "1", a.header.Get("Retry-After"))
		require.Empty(s.t, a.header["X-Own"])
		require.Empty(s.t, a.header["Location"])
		require.False(s.t, a.setsCookie())
		s.failing.Store(conformance.Verb(""))
		require.NotEqual(s.t, http.StatusServiceUnavailable, b.post(path).status)
	}
}

func (s *scene) cannotLoad() {
	b := s.serve(once())
	b.post("/login")
	s.failing.Store(conformance.Load)
	for _, path := range []string{"/user", "/account"} {
		a := b.get(path)
		require.Equal(s.t, http.StatusServiceUnavailable, a.status, path)
		require.Contains(s.t, a.body, "The session store does not answer.")
		require.False(s.t, a.setsCookie())
	}
	require.Equal(s.t, "plain", b.get("/plain").body)
	s.failing.Store(conformance.Verb(""))
	require.Equal(s.t, "user:alice", b.get("/user").body)
}

func (s *scene) notFound() {
	b := s.serve(once())
	b.post("/login")
	before := s.calls.Load()
	a := b.get("/nowhere")
	require.Equal(s.t, http.StatusNotFound, a.status)
	require.NotEmpty(s.t, a.body)
	require.False(s.t, a.setsCookie())
	require.Equal(s.t, before, s.calls.Load())
}

func (s *scene) events() {
	events := make(chan string, 1)
	end := sync.OnceFunc(func() { close(events) })
	defer end()
	b := s.serve(once(), Route{Path: "/events", Handle: func(c Ctx) error {
		v, err := c.Session()
		if err == nil {
			err = v.Put("flash", "live")
		}
		if err != nil {
			return err
		}
		return c.Stream(events)
	}})
	events <- "one"
	resp := b.begin(http.MethodGet, "/events")
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
	require.Equal(s.t, 1, s.memory.Stats().Sessions, "stored, and the handler goes on")
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{"data: one", "", "data: two", ""} {
		if want == "data: two" {
			require.Equal(s.t, "live", b.get("/").body)
			events <- "two"
		}
		require.True(s.t, lines.Scan())
		require.Equal(s.t, want, lines.Text())
	}
	end()
	require.False(s.t, lines.Scan())
	require.NoError(s.t, lines.Err())
	require.NoError(s.t, resp.Body.Close())
}

func (s *scene) webSocket() {
	b := s.serve(once(), Route{Path: "/socket", Handle: func(c Ctx) error {
		v, err := c.Session()
		if err == nil {
			err = v.Put("flash", "from the socket")
		}
		if err != nil {
			return err
		}
		return c.Upgrade("hello " + v.User())
	}, Private: true})
	resp, _ := b.socket("/socket")
	require.Equal(s.t, http.StatusUnauthorized, resp.StatusCode)
	b.post("/login")
	resp, text := b.socket("/socket")
	require.Equal(s.t, http.StatusSwitchingProtocols, resp.StatusCode)
	require.Equal(s.t, Accept(), resp.Header.Get("Sec-WebSocket-Accept"))
	require.Empty(s.t, resp.Cookies())
	require.Equal(s.t, "hello alice", text)
	require.Equal(s.t, "user:alice", b.get("/user").body)
	require.Equal(s.t, "from the socket", b.get("/").body)
}

func (s *scene) gzip(a App) {
	large := strings.Repeat("y", 100_000)
	b := s.serve(a, Route{Path: "/large", Handle: with(func(v *nethttp.Session) (string, error) { return large, v.Put("flash", "kept") })})
	got := b.post("/large")
	require.Equal(s.t, "gzip", got.header.Get("Content-Encoding"))
	require.Less(s.t, len(got.raw), 10_000)
	require.Equal(s.t, large, s.plain(got))
	require.True(s.t, got.setsCookie())
	require.Equal(s.t, "kept", s.plain(b.get("/")))
	s.failing.Store(conformance.Save)
	got = b.post("/large")
	require.Equal(s.t, http.StatusServiceUnavailable, got.status)
	require.Contains(s.t, s.plain(got), "The session store does not answer.")
}

// plain unpacks an answer, if it is packed.
func (s *scene) plain(a answer) string {
	if a.header.Get("Content-Encoding") != "gzip" {
		return a.body
	}
	r, err := gzip.NewReader(strings.NewReader(a.raw))
	require.NoError(s.t, err)
	text, err := io.ReadAll(r)
	require.NoError(s.t, err)
	return strings.TrimSpace(string(text))
}
