package echosessions_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	echosessions "github.com/rockstar-web/sessions/hosts/echo"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// open returns a middleware over a memory store, and what it logs.
func open(t *testing.T) (*nethttp.Middleware, *cachestore.Store, *bytes.Buffer) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	log := new(bytes.Buffer)
	manager, err := hosts.New(store, hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32]),
		AllowInsecure: true, NoCleanup: true, Logger: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, manager.Close()) })
	mw, err := nethttp.New(manager, nethttp.Options{})
	require.NoError(t, err)
	return mw, store, log
}

// get asks a real server for a page.
func get(t *testing.T, e http.Handler) (*http.Response, string) {
	server := httptest.NewServer(e)
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return resp, string(body)
}

func login(c *echo.Context) error {
	s, err := echosessions.From(c)
	if err != nil {
		return err
	}
	return s.Login("alice", 0)
}

// TestAnErrorIsHandledOnceAndInside: also by a handler that does not look whether
// the answer has begun. Who stands outside sees the status and no error.
func TestAnErrorIsHandledOnceAndInside(t *testing.T) {
	mw, store, _ := open(t)
	e := echo.New()
	handled := 0
	e.HTTPErrorHandler = func(c *echo.Context, err error) {
		handled++
		if err := errors.Join(login(c), c.String(http.StatusTeapot, err.Error())); err != nil {
			t.Error(err)
		}
	}
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			w, r := c.Response(), c.Request()
			err := next(c)
			outer, _ := echo.UnwrapResponse(c.Response())
			if c.Response() != w || c.Request() != r || err != nil || !outer.Committed || outer.Status != http.StatusTeapot {
				t.Error(err, outer.Status)
			}
			return err
		}
	}, echosessions.New(mw))
	e.GET("/", func(*echo.Context) error { return errors.New("no coffee") })
	resp, body := get(t, e)
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Equal(t, "no coffee", body)
	require.Len(t, resp.Cookies(), 1)
	require.Equal(t, 1, handled)
	require.Equal(t, 1, store.Stats().Sessions)
}

// TestAnErrorPassesWhatIsBetweenNewAndRequire, such as a transaction.
func TestAnErrorPassesWhatIsBetweenNewAndRequire(t *testing.T) {
	mw, store, _ := open(t)
	e := echo.New()
	e.HTTPErrorHandler = func(c *echo.Context, _ error) {
		if err := errors.Join(login(c), c.String(http.StatusTeapot, "")); err != nil {
			t.Error(err)
		}
	}
	coffee := errors.New("no coffee")
	between := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := errors.Join(login(c), next(c))
			if !errors.Is(err, coffee) {
				t.Error(err)
			}
			return err
		}
	}
	e.GET("/", func(*echo.Context) error { return coffee }, echosessions.New(mw), between, echosessions.Require(mw))
	resp, _ := get(t, e)
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Len(t, resp.Cookies(), 1)
	require.Equal(t, 1, store.Stats().Sessions)
}

// TestAHookBeforeTheAnswerMayUseTheSession, as echo's Response.Before.
func TestAHookBeforeTheAnswerMayUseTheSession(t *testing.T) {
	mw, store, _ := open(t)
	e := echo.New()
	e.Use(echosessions.New(mw))
	e.GET("/", func(c *echo.Context) error {
		answer, err := echo.UnwrapResponse(c.Response())
		if err != nil {
			return err
		}
		answer.Before(func() {
			if err := login(c); err != nil {
				t.Error(err)
			}
		})
		return c.String(http.StatusOK, "welcome")
	})
	resp, _ := get(t, e)
	require.Len(t, resp.Cookies(), 1)
	require.Equal(t, 1, store.Stats().Sessions)
}

// TestAnErrorWithAStatusKeepsIt, whatever it wraps.
func TestAnErrorWithAStatusKeepsIt(t *testing.T) {
	mw, _, _ := open(t)
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(echosessions.New(mw))
	e.GET("/", func(*echo.Context) error {
		return echo.NewHTTPError(http.StatusTeapot, "no coffee").Wrap(hosts.ErrBusy)
	})
	resp, body := get(t, e)
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Contains(t, body, "no coffee")
}

// TestANaiveAdapterIsToldOfThisOne: one that drops the writer answers past it.
func TestANaiveAdapterIsToldOfThisOne(t *testing.T) {
	mw, store, log := open(t)
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) (err error) {
			mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				c.SetRequest(r)
				err = next(c)
			})).ServeHTTP(c.Response(), c.Request())
			return err
		}
	})
	e.GET("/", func(c *echo.Context) error { return errors.Join(login(c), c.String(http.StatusOK, "welcome")) })
	resp, _ := get(t, e)
	require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	require.Zero(t, store.Stats().Sessions)
	require.Contains(t, log.String(), "use its adapter (hosts/gin, hosts/echo)")
}

func TestWithoutAMiddlewareTheProgramDoesNotStart(t *testing.T) {
	const sentence = "echosessions: the middleware is nil: make it with sessions.New, and look at its error"
	require.PanicsWithValue(t, sentence, func() { echosessions.New(nil) })
	require.PanicsWithValue(t, sentence, func() { echosessions.Require(nil) })
}
