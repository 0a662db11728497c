package frameworks

import (
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

const idle = 16 * time.Minute // a use is noted once a minute

// seen returns the last use that is stored of the only session.
func (s *scene) seen() core.Time {
	all, err := s.memory.Find(s.t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 2)
	require.NoError(s.t, err)
	require.Len(s.t, all, 1)
	return all[0].SeenAt
}

func (s *scene) quiet() {
	b := s.serve(once(), Route{Path: "/poll", Handle: user, Quiet: true})
	b.post("/login")
	begun := s.seen()
	s.ahead.Add((5 * time.Minute).Milliseconds())
	require.Equal(s.t, "user:alice", b.get("/poll").body)
	b.header.Set(nethttp.QuietField, "1")
	require.Equal(s.t, "user:alice", b.get("/account").body)
	require.Equal(s.t, begun, s.seen())
	b.header.Del(nethttp.QuietField)
	require.Equal(s.t, "user:alice", b.get("/user").body)
	require.Greater(s.t, s.seen(), begun)

	s.serve(App{}, Route{Path: "/poll", Handle: user, Quiet: true}) // Quiet brings the middleware where there is none
	s.ahead.Add((5 * time.Minute).Milliseconds())
	begun = s.seen()
	require.Equal(s.t, "user:alice", b.get("/poll").body)
	require.Equal(s.t, begun, s.seen())
}

func (s *scene) status() {
	csrf := http.NewCrossOriginProtection()
	require.NoError(s.t, csrf.AddTrustedOrigin("https://app.example.com"))
	s.options(nethttp.Options{CrossOrigin: csrf})
	for _, times := range []int{0, 1, 2} {
		b := s.serve(App{Times: times}, Route{Path: "/session", Ready: Status})
		require.JSONEq(s.t, `{"signed_in":false,"idle_seconds":0,"absolute_seconds":0,"reason":"none"}`, b.get("/session").body)
		begin := s.serve(once()) // a login needs the middleware
		begin.post("/login")
		b = s.serve(App{Times: times}, Route{Path: "/session", Ready: Status})
		b.value = begin.value
		s.ahead.Add((5 * time.Minute).Milliseconds())
		a := b.get("/session")
		require.Regexp(s.t, `^{"signed_in":true,"idle_seconds":6(60|5\d),"absolute_seconds":86\d{3}}$`, a.body)
		require.Equal(s.t, "application/json", a.header.Get("Content-Type"))
		require.Equal(s.t, "no-store", a.header.Get("Cache-Control"))
		require.False(s.t, a.setsCookie())
		require.Regexp(s.t, `^{"signed_in":true,"idle_seconds":9(60|5\d),"absolute_seconds":86\d{3}}$`, b.post("/session").body)
		b.header.Set("Sec-Fetch-Site", "cross-site")
		require.Equal(s.t, http.StatusForbidden, b.post("/session").status)
		b.header.Set("Origin", "https://app.example.com")
		require.Equal(s.t, http.StatusOK, b.post("/session").status)
		a = b.ask(http.MethodHead, "/session")
		require.Equal(s.t, http.StatusOK, a.status)
		require.Empty(s.t, a.body)
	}
}

func (s *scene) script() {
	b := s.serve(once(), Route{Path: "/timeout.js", Ready: Script})
	a := b.get(s.mw.ScriptURL("/timeout.js"))
	require.Equal(s.t, http.StatusOK, a.status)
	require.Equal(s.t, "text/javascript; charset=utf-8", a.header.Get("Content-Type"))
	require.Equal(s.t, "public, max-age=31536000, immutable", a.header.Get("Cache-Control"))
	require.Contains(s.t, a.body, "BroadcastChannel")
	require.Empty(s.t, a.header["Vary"])
	b.header.Set("If-None-Match", a.header.Get("ETag"))
	a = b.get("/timeout.js")
	require.Equal(s.t, http.StatusNotModified, a.status)
	require.Equal(s.t, "no-cache", a.header.Get("Cache-Control"))
	require.Equal(s.t, http.StatusMethodNotAllowed, b.post("/timeout.js").status)
}
