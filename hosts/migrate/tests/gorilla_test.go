package tests

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	gincontrib "github.com/gin-contrib/sessions"
	gincookie "github.com/gin-contrib/sessions/cookie"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
	echocontrib "github.com/labstack/echo-contrib/session"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	gorillamigrate "github.com/rockstar-web/sessions/hosts/migrate/gorilla"
)

// The keys of the old applications; the second pair is a former one.
var pairs = [][]byte{[]byte("0123456789abcdef0123456789abcdef"), []byte("abcdefghijklmnopabcdefghijklmnop"), []byte("a former key of this application")}

func gorillaSource(t *testing.T, o gorillamigrate.Options) *server {
	o.Name, o.KeyPairs = "app-session", pairs
	source, err := gorillamigrate.Source(o)
	require.NoError(t, err)
	return &server{source: source, cookie: o.Name, kept: func() int { return 0 }}
}

// values of an old session, as each library shows them.
type values interface {
	get(name string) any
	put(name string, v any)
	end()
	save() error
}

// serve is the old application.
func serve(t *testing.T, path string, v values) string {
	var n int
	switch {
	case strings.HasPrefix(path, "/login/"):
		fmt.Sscanf(path, "/login/%d", &n)
		for name, value := range valuesOf(n) {
			v.put(name, value)
		}
		must(t, v.save())
	case path == "/touch":
		v.put("touched by old", true)
		must(t, v.save())
	case path == "/logout":
		v.end()
		must(t, v.save())
		return ""
	}
	user, _ := v.get("user").(string)
	return user
}

type gorillaValues struct {
	*sessions.Session
	w http.ResponseWriter
	r *http.Request
}

func (g gorillaValues) get(name string) any    { return g.Values[name] }
func (g gorillaValues) put(name string, v any) { g.Values[name] = v }
func (g gorillaValues) end()                   { g.Options.MaxAge = -1 }
func (g gorillaValues) save() error            { return g.Save(g.r, g.w) }

func overGorilla(t *testing.T, store sessions.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "app-session") // an error is a new session
		fmt.Fprint(w, serve(t, r.URL.Path, gorillaValues{s, w, r}))
	})
}

func TestMovingFromGorillaCookies(t *testing.T) {
	s := gorillaSource(t, gorillamigrate.Options{})
	s.name, s.handler = "gorilla cookies", overGorilla(t, sessions.NewCookieStore(pairs...))
	move(t, s)
}

func TestMovingFromGorillaFiles(t *testing.T) {
	dir := t.TempDir()
	store := sessions.NewFilesystemStore(dir, pairs...)
	s := gorillaSource(t, gorillamigrate.Options{Dir: dir})
	s.name, s.handler, s.refuses = "gorilla files", overGorilla(t, store), true
	s.kept = func() int {
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(files)
	}
	move(t, s)
}

type ginValues struct{ gincontrib.Session }

func (g ginValues) get(name string) any    { return g.Get(name) }
func (g ginValues) put(name string, v any) { g.Set(name, v) }
func (g ginValues) end()                   { g.Clear(); g.Options(gincontrib.Options{Path: "/", MaxAge: -1}) }
func (g ginValues) save() error            { return g.Save() }

func TestMovingFromGinContrib(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	store := gincookie.NewStore(pairs...)
	store.Options(gincontrib.Options{Path: "/", MaxAge: int(24 * time.Hour / time.Second)})
	engine.Use(gincontrib.Sessions("app-session", store))
	engine.NoRoute(func(c *gin.Context) {
		c.String(http.StatusOK, serve(t, c.Request.URL.Path, ginValues{gincontrib.Default(c)}))
	})
	s := gorillaSource(t, gorillamigrate.Options{})
	s.name, s.handler = "gin-contrib", engine
	move(t, s)
}

func TestMovingFromEchoContrib(t *testing.T) {
	e := echo.New()
	e.Use(echocontrib.Middleware(sessions.NewCookieStore(pairs...)))
	e.Any("/*", func(c echo.Context) error {
		s, err := echocontrib.Get("app-session", c)
		if s == nil {
			return err
		}
		return c.String(http.StatusOK, serve(t, c.Request().URL.Path, gorillaValues{s, c.Response(), c.Request()}))
	})
	s := gorillaSource(t, gorillamigrate.Options{})
	s.name, s.handler = "echo-contrib", e
	move(t, s)
}
