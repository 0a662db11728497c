package fibersessions_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/rockstar-web/sessions/hosts"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// use calls f with the session of a request.
func use(f func(c fiber.Ctx, s *nethttp.Session) error) fiber.Handler {
	return func(c fiber.Ctx) error {
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		return f(c, s)
	}
}

func TestAnErrorPageReplacesTheHandlersAnswerAlone(t *testing.T) {
	mw, _ := open(t, nethttp.Options{})
	app := fiber.New()
	app.Use(func(c fiber.Ctx) error {
		c.Set("X-Outside", "1")
		c.Cookie(&fiber.Cookie{Name: "outside", Value: "1"})
		err := c.Next()
		c.Append("X-After", "1")
		return err
	}, fibersessions.New(mw))
	app.Get("/", use(func(c fiber.Ctx, s *nethttp.Session) error {
		c.Set("X-Outside", "2")
		c.Set("X-Inside", "1")
		c.Set("CDN-Cache-Control", "max-age=60")
		c.Set("Vary", "Accept")
		c.Set("ETag", `"1"`)
		c.Cookie(&fiber.Cookie{Name: "inside", Value: "1"})
		if _, err := s.Add("n", 1); err != nil {
			return err
		}
		if c.Query("fail") != "" {
			if err := mw.Manager().Destroy(context.Background(), s.ID()); err != nil {
				return err
			}
		}
		return c.SendString("welcome")
	}))
	url := listen(t, app)
	client := visitor(t)
	status, body, h := get(t, client, url)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "welcome", body)
	require.Equal(t, []string{"Accept", "Cookie"}, h["Vary"])
	require.Equal(t, "no-store", h.Get("Cache-Control"))
	require.Empty(t, h["Cdn-Cache-Control"])
	require.Len(t, h["Set-Cookie"], 3)
	require.Equal(t, []string{"2", "1", "1", `"1"`}, []string{h.Get("X-Outside"), h.Get("X-Inside"), h.Get("X-After"), h.Get("ETag")})

	status, body, h = get(t, client, url+"/?fail=1")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "The session has ended in the meantime. Nothing of this request was stored.\n", body)
	require.Equal(t, []string{"1", "", "1", ""}, []string{h.Get("X-Outside"), h.Get("X-Inside"), h.Get("X-After"), h.Get("ETag")})
	require.Equal(t, "text/plain; charset=utf-8", h.Get("Content-Type"))
	require.Len(t, h["Set-Cookie"], 1)
	require.Contains(t, h.Get("Set-Cookie"), "outside=1")
}

// TestAnErrorPageReplacesEveryKindOfAnswer that fiber has.
func TestAnErrorPageReplacesEveryKindOfAnswer(t *testing.T) {
	for name, answer := range map[string]func(c fiber.Ctx) error{
		"string": func(c fiber.Ctx) error { return c.SendString("welcome") },
		"bytes":  func(c fiber.Ctx) error { return c.Send([]byte("welcome")) },
		"json":   func(c fiber.Ctx) error { return c.JSON("welcome") },
		"stream": func(c fiber.Ctx) error { return c.SendStream(strings.NewReader("welcome"), 7) },
		"writer": func(c fiber.Ctx) error {
			return c.SendStreamWriter(func(w *bufio.Writer) { _, _ = w.WriteString("welcome") })
		},
		"file":     func(c fiber.Ctx) error { return c.SendFile("go.mod") },
		"redirect": func(c fiber.Ctx) error { return c.Redirect().To("/") },
		"status":   func(c fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) },
	} {
		t.Run(name, func(t *testing.T) {
			mw, _ := open(t, nethttp.Options{})
			app := fiber.New()
			app.Use(fibersessions.New(mw))
			app.Get("/begin", use(func(_ fiber.Ctx, s *nethttp.Session) error { return s.Put("n", 1) }))
			app.Get("/", use(func(c fiber.Ctx, s *nethttp.Session) error {
				if _, err := s.Add("n", 1); err != nil {
					return err
				}
				return errors.Join(mw.Manager().Destroy(context.Background(), s.ID()), answer(c))
			}))
			url := listen(t, app)
			client := visitor(t)
			get(t, client, url+"/begin")
			status, body, h := get(t, client, url)
			require.Equal(t, http.StatusUnauthorized, status)
			require.Equal(t, "The session has ended in the meantime. Nothing of this request was stored.\n", body)
			require.Equal(t, "text/plain; charset=utf-8", h.Get("Content-Type"))
			require.Empty(t, h.Get("Location"))
		})
	}
}

func TestAFailureWithoutAPageIsNoSuccess(t *testing.T) {
	mw, _ := open(t, nethttp.Options{Failed: func(http.ResponseWriter, *http.Request, error) {}})
	app := fiber.New()
	app.Use(fibersessions.New(mw))
	app.Get("/", use(func(c fiber.Ctx, s *nethttp.Session) error {
		if _, err := s.Add("n", 1); err != nil {
			return err
		}
		_, err := mw.Manager().Revoke(context.Background(), hosts.Query{AnyTenant: true, AnyUser: true})
		return errors.Join(err, c.SendString("welcome"))
	}))
	url := listen(t, app)
	client := visitor(t)
	get(t, client, url)
	status, body, _ := get(t, client, url)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Empty(t, body)
}

// TestAnErrorPassesWhatIsBetweenNewAndRequire, such as a transaction. Who stands
// outside sees the answer and no error.
func TestAnErrorPassesWhatIsBetweenNewAndRequire(t *testing.T) {
	mw, store := open(t, nethttp.Options{})
	login := use(func(_ fiber.Ctx, s *nethttp.Session) error { return s.Login("alice", 0) })
	app := fiber.New(fiber.Config{ErrorHandler: func(c fiber.Ctx, _ error) error {
		return errors.Join(login(c), c.SendStatus(http.StatusTeapot))
	}})
	coffee := errors.New("no coffee")
	app.Use(func(c fiber.Ctx) error {
		err := c.Next()
		if err != nil || c.Response().StatusCode() != http.StatusTeapot {
			t.Error(err)
		}
		return err
	}, fibersessions.New(mw), func(c fiber.Ctx) error {
		err := errors.Join(login(c), c.Next())
		if !errors.Is(err, coffee) {
			t.Error(err)
		}
		return err
	})
	app.Get("/", fibersessions.Require(mw), func(fiber.Ctx) error { return coffee })
	status, _, h := get(t, visitor(t), listen(t, app))
	require.Equal(t, http.StatusTeapot, status)
	require.Len(t, h["Set-Cookie"], 1)
	require.Equal(t, 1, store.Stats().Sessions)
}

// TestAUnixSocketsPeerCanBeTrusted, to say who the client is.
func TestAUnixSocketsPeerCanBeTrusted(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		mw, _ := open(t, nethttp.Options{TrustUnixSocket: trusted})
		app := fiber.New()
		app.Use(fibersessions.New(mw))
		app.Get("/", use(func(c fiber.Ctx, s *nethttp.Session) error {
			if err := s.Put("n", 1); err != nil {
				return err
			}
			own, err := mw.Manager().GetSessionFromCookie(c.Context())
			if err != nil {
				return err
			}
			return c.SendString(own.IPAddress)
		}))
		path := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", path)
		require.NoError(t, err)
		serveOn(t, app, l)
		client := visitor(t)
		client.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
		t.Cleanup(client.CloseIdleConnections)
		_, body, _ := get(t, client, "http://app", "X-Forwarded-For", "192.0.2.7")
		want := map[bool]string{true: "192.0.2.7"}[trusted]
		require.Equal(t, want, body)
	}
}

// TestFibersAdaptorIsToldOfThisMiddleware: it ends a net/http middleware before the
// handlers run.
func TestFibersAdaptorIsToldOfThisMiddleware(t *testing.T) {
	mw, store := open(t, nethttp.Options{})
	var err error
	app := fiber.New()
	app.Use(adaptor.HTTPMiddleware(mw.Handler))
	app.Get("/", func(c fiber.Ctx) error {
		_, err = fibersessions.From(c)
		return err
	})
	status, _, _ := get(t, visitor(t), listen(t, app))
	require.Equal(t, http.StatusInternalServerError, status)
	require.ErrorIs(t, err, nethttp.ErrNoHandler)
	require.ErrorContains(t, err, "app.Use(fibersessions.New(app))")
	require.Zero(t, store.Stats().Sessions)
}

func TestWithoutAMiddlewareTheProgramDoesNotStart(t *testing.T) {
	const sentence = "fibersessions: the middleware is nil: make it with sessions.New, and look at its error"
	require.PanicsWithValue(t, sentence, func() { fibersessions.New(nil) })
	require.PanicsWithValue(t, sentence, func() { fibersessions.Require(nil) })
}
