package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const testKey = "9f2b6c0e41d7a8835e90b1c2d3f4a5968778695a4b3c2d1e0f10213243546576"

func memory(t *testing.T) *cachestore.Store {
	t.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// app is an application in development mode, its server, and a browser.
func app(t *testing.T, handle func(*sessions.Middleware) http.Handler) (get func(path string) (int, string)) {
	t.Helper()
	t.Setenv(sessions.DevelopmentVariable, "true")
	t.Setenv("SESSION_ENCRYPTION_KEY", testKey)
	mw, err := sessions.New(memory(t), sessions.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mw.Close()) })
	server := httptest.NewServer(handle(mw))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	return func(path string) (int, string) {
		a, err := browser.Get(server.URL + path)
		if err != nil {
			return 0, err.Error()
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil {
			return 0, err.Error()
		}
		return a.StatusCode, strings.TrimSpace(string(text))
	}
}

type basket struct{ Items []string }

var (
	visits = sessions.Counter("visits")
	cart   = sessions.Value[basket]("cart")
	theme  = sessions.Value[string]("theme").Default("light").LastWins()
	flash  = sessions.Value[string]("flash")
)

func TestTypedValues(t *testing.T) {
	var s *sessions.Session
	get := app(t, func(mw *sessions.Middleware) http.Handler {
		return mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, own *sessions.Session) error {
			s = own
			n, err := visits.Get(s)
			require.NoError(t, err)
			require.Zero(t, n)
			sum, err := visits.Add(s, 41)
			require.NoError(t, err)
			require.EqualValues(t, 41, sum)
			require.NoError(t, visits.Delete(s))

			c, err := cart.Get(s)
			require.NoError(t, err)
			require.Equal(t, basket{}, c)
			require.NoError(t, cart.Put(s, basket{[]string{"tea"}}))
			require.NoError(t, cart.Update(s, func(b basket) (basket, error) { b.Items = append(b.Items, "milk"); return b, nil }))
			c, err = cart.Get(s)
			require.NoError(t, err)
			require.Equal(t, []string{"tea", "milk"}, c.Items)
			refused := errors.New("full")
			require.ErrorIs(t, cart.Update(s, func(b basket) (basket, error) { return b, refused }), refused)
			require.NoError(t, cart.Delete(s))

			name, err := theme.Get(s)
			require.NoError(t, err)
			require.Equal(t, "light", name)
			require.NoError(t, theme.Update(s, func(old string) (string, error) { return old + "er", nil }))
			name, err = theme.Get(s)
			require.NoError(t, err)
			require.Equal(t, "lighter", name)

			require.NoError(t, flash.Put(s, "saved"))
			text, ok, err := flash.Take(s)
			require.NoError(t, err)
			require.Equal(t, "saved true", fmt.Sprint(text, " ", ok))
			_, ok, err = flash.Take(s)
			require.NoError(t, err)
			require.False(t, ok)

			_, err = visits.Get(s)
			require.NoError(t, err)
			_, err = sessions.Value[int]("theme").Get(s)
			require.ErrorIs(t, err, hosts.ErrValueType)
			require.Error(t, sessions.Value[chan int]("no").Put(s, nil))
			return nil
		})
	})
	status, text := get("/")
	require.Equal(t, 200, status, text)
}

// Two requests read a value and put what they made of it: one is refused, unless
// the value says that the last may win.
func TestGetAndPutConflictUnlessTheLastWins(t *testing.T) {
	for _, c := range []struct {
		value sessions.Typed[string]
		want  int
	}{{sessions.Value[string]("note"), 409}, {theme, 200}} {
		read, go_ := make(chan struct{}), make(chan struct{})
		get := app(t, func(mw *sessions.Middleware) http.Handler {
			return mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
				if _, err := c.value.Get(s); err != nil {
					return err
				}
				if r.URL.Path == "/slow" {
					close(read)
					<-go_
				}
				return c.value.Put(s, r.URL.Path)
			})
		})
		_, _ = get("/first")
		slow := make(chan int)
		go func() {
			status, _ := get("/slow")
			slow <- status
		}()
		<-read
		status, text := get("/fast")
		require.Equal(t, 200, status, text)
		close(go_)
		require.Equal(t, c.want, <-slow)
	}
}

// An error stores nothing of what the handler has changed, and is answered by what
// it is.
func TestHandlersThatFail(t *testing.T) {
	fault := errors.New("the printer is on fire")
	get := app(t, func(mw *sessions.Middleware) http.Handler {
		mux := http.NewServeMux()
		page := func(path string, err error) {
			mux.Handle(path, mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
				w.Header().Set("X-Mine", "yes")
				n, addErr := visits.Add(s, 1)
				if err == nil {
					fmt.Fprint(w, n)
				}
				return errors.Join(addErr, err)
			}))
		}
		page("/ok", nil)
		page("/missing", &sessions.StatusError{Status: 404, Text: "No such page."})
		page("/fault", fault)
		page("/private", sessions.ErrNotSignedIn)
		page("/odd", &sessions.StatusError{Status: 200, Text: "not an error"})
		mux.Handle("/late", mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			fmt.Fprint(w, "half")
			return fault
		}))
		return mux
	})
	for path, want := range map[string]string{
		"/missing": "404 No such page.", "/fault": "500 The server has made a mistake, and has logged it.",
		"/private": `401 {"error":"Authentication required","reason":"none"}`, "/odd": "500 The server has made a mistake, and has logged it.", "/late": "200 half",
	} {
		status, text := get(path)
		require.Equal(t, want, fmt.Sprint(status, " ", text), path)
	}
	_, text := get("/ok")
	require.Equal(t, "2", text, "of the others only /private, which is answered like any page, has stored its addition")
}

func TestManyRequestsAtOnce(t *testing.T) {
	get := app(t, func(mw *sessions.Middleware) http.Handler {
		return mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			n, err := visits.Add(s, 1)
			fmt.Fprint(w, n)
			return err
		})
	})
	_, _ = get("/")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { _, _ = get("/") })
	}
	all.Wait()
	_, text := get("/")
	require.Equal(t, "52", text)
}

func TestConfigIsRefused(t *testing.T) {
	t.Setenv("SESSION_ENCRYPTION_KEY", "")
	for _, c := range []struct {
		development, want string
		config            sessions.Config
		options           []sessions.Options
	}{
		{"", "environment variable SESSION_ENCRYPTION_KEY is not set", sessions.Config{}, nil},
		{"", "or set SESSION_DEVELOPMENT=true to try things out", sessions.Config{}, nil},
		{"yes", `SESSION_DEVELOPMENT is "yes"; allowed: true, false`, sessions.Config{}, nil},
		{"false", "is not set", sessions.Config{}, nil},
		{"true", "2 Options; allowed: one", sessions.Config{}, make([]sessions.Options, 2)},
		{"true", "ForwardedHeader", sessions.Config{}, []sessions.Options{{ForwardedHeader: "X-Who"}}},
		{"true", "IdleTimeout", sessions.Config{IdleTimeout: -1}, nil},
	} {
		t.Setenv(sessions.DevelopmentVariable, c.development)
		_, err := sessions.New(memory(t), c.config, c.options...)
		require.ErrorContains(t, err, c.want)
	}
	_, err := sessions.New(nil, sessions.Config{})
	require.ErrorContains(t, err, "store")
	_, err = sessions.KeyFromSecret("correct horse battery staple, and so on")
	require.ErrorIs(t, err, hosts.ErrWeakSecret)
	t.Setenv("OTHER", testKey)
	key, err := sessions.KeyFromEnv("OTHER")
	require.NoError(t, err)
	require.False(t, key.IsZero())
}

// The cookie of production needs Secure; in development mode the same config gives one that plain
// HTTP can carry.
func TestDevelopmentModeTakesTheConfigOfProduction(t *testing.T) {
	t.Setenv(sessions.DevelopmentVariable, "true")
	t.Setenv("SESSION_ENCRYPTION_KEY", "")
	for _, c := range []struct {
		config sessions.Config
		want   string // name of the cookie
	}{
		{sessions.Config{}, "rockstar_session"},
		{sessions.Config{CookieName: "__Host-Http-session"}, "session"},
		{sessions.Config{CookieName: "__HOST-id"}, "id"},
		{sessions.Config{CookieName: "__Secure-id"}, "id"},
		{sessions.Config{CookieName: "__Http-id"}, "id"},
		{sessions.Config{CookieName: "__Host-"}, "rockstar_session"},
		{sessions.Config{CookieName: "id", Partitioned: true, SameSite: core.SameSiteNone}, "id"},
		{sessions.Config{SecureByRequest: true}, "rockstar_session"},
	} {
		mw, err := sessions.New(memory(t), c.config)
		require.NoError(t, err, c)
		login := mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error { return s.Login("alice", 0) })
		w := httptest.NewRecorder()
		login.ServeHTTP(w, at("127.0.0.1"))
		require.NoError(t, mw.Close())
		cookies := w.Result().Cookies()
		require.Len(t, cookies, 1, c)
		require.Equal(t, c.want, cookies[0].Name)
		require.False(t, cookies[0].Secure)
		require.NotContains(t, w.Header().Get("Set-Cookie"), "Partitioned")
		require.Equal(t, http.SameSiteLaxMode, cookies[0].SameSite)
	}
}

// at is a request that came to an address of this machine, if any is known.
func at(address string) *http.Request {
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	if address == "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(address), Port: 80}))
}

// Development mode serves loopback addresses, and no proxy, whatever the client
// writes.
func TestDevelopmentModeIsForThisMachine(t *testing.T) {
	t.Setenv(sessions.DevelopmentVariable, "true")
	t.Setenv("SESSION_ENCRYPTION_KEY", "")
	mw, err := sessions.New(memory(t), sessions.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mw.Close()) })
	handler := mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error { return s.Login("alice", 0) })
	for _, c := range []struct {
		at    string
		field string
		want  int
	}{
		{"127.0.0.1", "", 200}, {"127.8.8.8", "", 200}, {"::1", "", 200},
		{"192.0.2.1", "", 500}, {"10.0.0.1", "", 500}, {"0.0.0.0", "", 500}, {"", "", 500},
		{"127.0.0.1", "Host: shop.example", 500}, {"127.0.0.1", "Host: 10.0.0.1:80", 500}, {"127.0.0.1", "Host: localhost.evil.example", 500}, {"127.0.0.1", "Host: ", 500},
		{"127.0.0.1", "Host: shop.localhost:8080", 200}, {"127.0.0.1", "Host: [::1]:8080", 200}, {"127.0.0.1", "Host: LOCALHOST.", 200},
		{"127.0.0.1", "X-Forwarded-For", 500}, {"127.0.0.1", "Forwarded", 500}, {"127.0.0.1", "Via", 500}, {"127.0.0.1", "X-Real-Ip", 500},
	} {
		r := at(c.at)
		if name, ok := strings.CutPrefix(c.field, "Host: "); ok {
			r.Host = name
		} else if c.field != "" {
			r.Header.Set(c.field, "127.0.0.1")
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, c.want, w.Code, c)
		cookie := w.Header().Get("Set-Cookie")
		require.Equal(t, c.want == 200, cookie != "", c)
		require.NotContains(t, cookie, "Secure")
	}
}

// Two managers with one cookie on a request would take each other's for a forgery.
func TestTwoManagersWithOneCookie(t *testing.T) {
	t.Setenv("SESSION_ENCRYPTION_KEY", testKey)
	t.Setenv(sessions.DevelopmentVariable, "true")
	other, err := sessions.New(memory(t), sessions.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	get := app(t, func(mw *sessions.Middleware) http.Handler {
		return mw.Handler(other.Handler(http.NotFoundHandler()))
	})
	status, text := get("/")
	require.Equal(t, 500, status, text)
	third, err := sessions.New(memory(t), sessions.Config{CookieName: "staff"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, third.Close()) })
	get = app(t, func(mw *sessions.Middleware) http.Handler {
		return mw.Handler(third.Handler(mw.Handler(http.NotFoundHandler())))
	})
	status, text = get("/?" + url.Values{}.Encode())
	require.Equal(t, 404, status, text)
}

// From needs the middleware.
func TestFromWithoutMiddleware(t *testing.T) {
	_, err := sessions.From(httptest.NewRequest("GET", "/", nil))
	require.ErrorContains(t, err, "Handler")
	_, err = sessions.FromContext(t.Context())
	status, _ := sessions.Failure(err)
	require.Equal(t, 500, status)
}
