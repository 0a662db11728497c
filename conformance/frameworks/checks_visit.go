package frameworks

import (
	"net/http"
	"net/url"
	"sync"

	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func (s *scene) login() {
	b := s.serve(once())
	require.Equal(s.t, "user:", b.get("/user").body)
	b.get("/add")
	before := b.value
	a := b.post("/login")
	require.Equal(s.t, http.StatusOK, a.status, a.body)
	require.Equal(s.t, "no-store", a.header.Get("Cache-Control"))
	require.Len(s.t, a.header["Set-Cookie"], 1)
	require.NotEqual(s.t, before, b.value, "a login has a new secret")
	require.Equal(s.t, "user:alice", b.get("/user").body)
	require.Equal(s.t, "1", b.get("/n").body)

	thief := s.browser()
	thief.value = b.value
	a = b.post("/logout")
	require.Equal(s.t, http.StatusOK, a.status)
	require.Empty(s.t, b.value, "the cookie is taken back")
	require.Equal(s.t, "user:", b.get("/user").body)
	require.Equal(s.t, "user:", thief.get("/user").body)
	require.Zero(s.t, s.memory.Stats().Sessions)
}

func (s *scene) reads() {
	b := s.serve(once())
	for _, signedIn := range []bool{false, true} {
		if signedIn {
			b.post("/login")
		}
		a := b.get("/user")
		require.False(s.t, a.setsCookie())
		require.Equal(s.t, []string{"Cookie"}, a.header["Vary"])
		require.Empty(s.t, a.header["Cache-Control"])
	}
}

func (s *scene) lazy() {
	b := s.serve(once())
	b.post("/login")
	before := s.calls.Load()
	a := b.get("/plain")
	require.Equal(s.t, "plain", a.body)
	require.Empty(s.t, a.header["Vary"])
	require.Equal(s.t, before, s.calls.Load())
	b.get("/user")
	require.Equal(s.t, before+1, s.calls.Load(), "one load, and no save")
}

func (s *scene) redirect() {
	b := s.serve(once())
	a := b.post("/note")
	require.Equal(s.t, http.StatusSeeOther, a.status)
	require.Equal(s.t, "/", a.header.Get("Location"))
	require.True(s.t, a.setsCookie())
	require.Equal(s.t, "noted", b.get("/").body)
	require.Equal(s.t, "no flash", b.get("/").body)
}

func (s *scene) group() {
	b := s.serve(once())
	a := b.get("/account")
	require.Equal(s.t, http.StatusUnauthorized, a.status)
	require.JSONEq(s.t, `{"error":"Authentication required","reason":"none"}`, a.body)
	require.Equal(s.t, "application/json", a.header.Get("Content-Type"))
	b.post("/login")
	require.Equal(s.t, "user:alice", b.get("/account").body)

	s.serve(App{}) // Require brings the middleware where there is none
	require.Equal(s.t, "user:alice", b.get("/account").body)
	require.Equal(s.t, http.StatusUnauthorized, s.browser().get("/account").status)
}

func (s *scene) loginPage() {
	s.options(nethttp.Options{LoginPath: "/login"})
	b := s.serve(once())
	b.header.Set("Accept", "text/html")
	a := b.get("/account?tea=1")
	require.Equal(s.t, http.StatusSeeOther, a.status)
	to, err := url.Parse(a.header.Get("Location"))
	require.NoError(s.t, err)
	require.Equal(s.t, []string{"/login", "/account?tea=1"}, []string{to.Path, to.Query().Get("return_to")})
	require.Empty(s.t, a.header["Hx-Redirect"])
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Current-URL", s.url+"/shop")
	require.Equal(s.t, "/login?return_to=%2Fshop", b.get("/account").header.Get("HX-Redirect"))
	b.post("/login")
	require.Equal(s.t, "user:alice", b.get("/account").body)
}

func (s *scene) development() {
	s.options(nethttp.Options{Development: true})
	b := s.serve(once())
	require.Equal(s.t, "user:", b.get("/user").body)
	b.header.Set("X-Forwarded-For", "192.0.2.1") // by a proxy: from anywhere
	require.Equal(s.t, http.StatusInternalServerError, b.get("/user").status)
	require.Contains(s.t, s.log.String(), "development mode")
}

func (s *scene) additions() {
	b := s.serve(once())
	b.get("/add")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if a := b.get("/add"); a.status != http.StatusOK {
				s.t.Error(a)
			}
		})
	}
	wg.Wait()
	require.Equal(s.t, "51", b.get("/n").body)
}

func (s *scene) slow() {
	began, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	defer release()
	b := s.serve(once(), Route{Path: "/slow", Handle: with(func(v *nethttp.Session) (string, error) {
		if err := v.Put("flash", "too late"); err != nil {
			return "", err
		}
		close(began)
		<-released
		return "done", nil
	})})
	b.post("/login")
	late := s.browser()
	late.value = b.value
	got := make(chan answer, 1)
	go func() { got <- late.post("/slow") }()
	<-began
	require.Equal(s.t, "bye", b.post("/logout").body)
	release()
	a := <-got
	require.Equal(s.t, http.StatusUnauthorized, a.status)
	require.Equal(s.t, "The session has ended in the meantime. Nothing of this request was stored.", a.body)
	require.Zero(s.t, s.memory.Stats().Sessions)
}
