package frameworks

import (
	"net/http"
	"strings"

	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/stretchr/testify/require"
)

// devices mounts the page beneath the framework's own middleware, and without it.
func (s *scene) devices() {
	for times := range 2 {
		page, err := console.New(console.Options{Middleware: s.mw})
		require.NoError(s.t, err)
		b := s.serve(App{Times: 1, Page: page})
		phone := s.browser()
		phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone) Version/18.6 Safari/604.1")
		b.post("/login")
		phone.post("/login")
		if times == 1 { // the same sessions in an application without the middleware
			s.url = s.f.Serve(s.t, App{Middleware: s.mw, Page: page})
		}
		a := b.get("/devices")
		require.Equal(s.t, http.StatusOK, a.status, a.body)
		require.Contains(s.t, a.body, "this device")
		require.Contains(s.t, a.body, "Safari on iPhone")
		_, rest, _ := strings.Cut(a.body, `href="`)
		style, _, _ := strings.Cut(rest, `"`)
		require.Equal(s.t, "text/css; charset=utf-8", b.get("/devices"+style).header.Get("Content-Type"))
		before := b.value
		b.form = "others=1"
		a = b.post("/devices")
		require.Equal(s.t, http.StatusSeeOther, a.status, a.body)
		require.Equal(s.t, "?ended=others", a.header.Get("Location"))
		require.NotEqual(s.t, before, b.value, "a new secret")
		require.Equal(s.t, http.StatusUnauthorized, phone.get("/devices").status)
		require.Contains(s.t, b.get("/devices?ended=others").body, "All other devices are logged out.")
		b.header.Set("Origin", "https://evil.example")
		require.Equal(s.t, http.StatusForbidden, b.post("/devices").status)
	}
}
