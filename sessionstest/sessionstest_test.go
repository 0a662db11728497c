package sessionstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/sessionstest"
	"github.com/stretchr/testify/require"
)

// account greets whoever is signed in and counts the visits.
var account = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	s, err := nethttp.From(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	n, err := s.Add("visits", 1)
	cart, _ := s.Get("cart")
	fmt.Fprintf(w, "%q, visit %d, cart %v, %v, from %s", s.User(), n, cart, err, r.RemoteAddr)
})

func body(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

func TestAsAlice(t *testing.T) {
	app := sessionstest.New(t)
	alice := app.As("alice").With("cart", []string{"tea"})
	w := alice.Get(account, "/account")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), `"alice", visit 1, cart [tea], <nil>`)
	require.Contains(t, alice.Post(account, "/account", url.Values{"a": {"b"}}).Body.String(), "visit 2")
	alice.With("cart", "gone")
	require.Contains(t, alice.Get(app.Middleware.Require(account), "/account").Body.String(), "visit 3, cart gone")

	s := app.Session("alice")
	require.Equal(t, "alice", s.UserID)
	require.Equal(t, map[string]any{"visits": 3, "cart": "gone"}, s.Data)

	nobody := app.Visitor().With("cart", "empty")
	require.Contains(t, nobody.Get(account, "https://shop.example/").Body.String(), `"", visit 1, cart empty`)
	require.Len(t, app.Sessions(""), 1)
	require.Equal(t, http.StatusUnauthorized, app.Visitor().Get(app.Middleware.Require(account), "/account").Code)
	require.Empty(t, app.Sessions("bob"))
}

// A value of the application's own type, by the session.
func TestGiven(t *testing.T) {
	type cart struct{ Items []string }
	app := sessionstest.New(t)
	app.As("alice").Given(func(s *nethttp.Session) error { return hosts.Put(s, "cart", cart{[]string{"tea"}}) }).Get(account, "/")
	got, err := hosts.Get[cart](app.Session("alice"), "cart")
	require.NoError(t, err)
	require.Equal(t, cart{[]string{"tea"}}, got)
}

// TestClient: a real server, whose Secure cookie comes back over plain HTTP. The
// same visitor may also ask a handler.
func TestClient(t *testing.T) {
	for name, bound := range map[string]hosts.Config{"plain": {}, "bound": {BindIPv4Bits: 32, BindUserAgent: true}, "named": {CookieName: "__Host-Http-sid"}} {
		t.Run(name, func(t *testing.T) {
			app := sessionstest.With(t, sessionstest.Setup{Config: bound})
			mux := http.NewServeMux()
			mux.Handle("/account", app.Middleware.Require(account))
			mux.Handle("/", http.RedirectHandler("/account", http.StatusSeeOther))
			server := app.Serve(mux)
			alice := app.As("alice")
			client := alice.Client(server)
			for i := range 3 {
				resp, err := client.Get(server.URL)
				require.Contains(t, body(t, resp, err), fmt.Sprintf(`"alice", visit %d`, i+1))
			}
			require.Contains(t, alice.Get(mux, "/account").Body.String(), "visit 4")
			require.Len(t, alice.Cookies("/"), 1)

			resp, err := app.Visitor().Client(server).Post(server.URL, "text/plain", strings.NewReader("x"))
			body(t, resp, err)
			require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		})
	}
}

func TestManyRequestsAtOnce(t *testing.T) {
	app := sessionstest.New(t)
	server := app.Serve(account)
	client := app.As("alice").Client(server)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			resp, err := client.Get(server.URL)
			if err == nil {
				err = resp.Body.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 20, app.Session("alice").Data["visits"], "in one session")
}

func TestClockAndEvents(t *testing.T) {
	var told []hosts.EventKind
	app := sessionstest.With(t, sessionstest.Setup{Config: hosts.Config{IdleTimeout: time.Hour, OnEvent: func(e hosts.Event) { told = append(told, e.Kind) }}})
	alice := app.As("alice")
	page := app.Middleware.Require(account)
	alice.Get(page, "/")
	kinds := func() (kinds []hosts.EventKind) {
		for _, e := range app.Events() {
			kinds = append(kinds, e.Kind)
		}
		return kinds
	}
	require.Equal(t, []hosts.EventKind{hosts.EventCreated, hosts.EventLogin, hosts.EventResumed}, kinds())
	require.Empty(t, kinds(), "told once")
	app.Clock.Advance(59 * time.Minute)
	require.Equal(t, http.StatusOK, alice.Get(page, "/").Code)
	app.Clock.Advance(61 * time.Minute)
	require.Contains(t, alice.Get(page, "/").Body.String(), `"reason":"idle"`)
	events := app.Events()
	require.Len(t, events, 2)
	require.Equal(t, core.ReasonIdle, events[1].Reason)
	require.Equal(t, "alice", events[1].User)
	require.Len(t, told, 5, "the application's own hook is told, and of nothing else")
}

// TestTenants: the visitor signs in with the host, the fields and over the way of
// its first request.
func TestTenants(t *testing.T) {
	app := sessionstest.With(t, sessionstest.Setup{Options: nethttp.Options{Tenant: func(r *http.Request) string { return r.Host + r.Header.Get("X-Tenant") }}})
	alice := app.As("alice")
	alice.Header.Set("X-Tenant", "+1")
	r := httptest.NewRequest("GET", "http://a.example/", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Upgrade", "websocket")
	require.Contains(t, alice.Do(account, r).Body.String(), `"alice"`)
	require.Equal(t, "a.example+1", app.Session("alice").TenantID)
	server := app.Serve(account)
	resp, err := app.As("bob").Client(server).Get(server.URL)
	require.Contains(t, body(t, resp, err), `"bob"`)

	r = httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "198.51.100.7:1"
	require.Contains(t, app.Visitor().Do(account, r).Body.String(), "from 198.51.100.7:1")

	app = sessionstest.With(t, sessionstest.Setup{Config: hosts.Config{CookieDomain: "shop.example"}})
	require.Contains(t, app.As("alice").Get(app.Middleware.Require(account), "/").Body.String(), `"alice", visit 1`)
	app = sessionstest.With(t, sessionstest.Setup{Options: nethttp.Options{Development: true}})
	r = httptest.NewRequest("GET", "http://localhost/", nil)
	require.Contains(t, app.As("alice").Do(app.Middleware.Require(account), r).Body.String(), `"alice", visit 1`)
}

// ownManager is an application that makes its manager by itself.
func ownManager(t *testing.T, c hosts.Config) *nethttp.Middleware {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	return mw
}

func TestPrepareAndWrap(t *testing.T) {
	c := hosts.Config{IdleTimeout: time.Hour}
	app := sessionstest.Prepare(t, &c)
	app.Use(ownManager(t, c))
	page := app.Middleware.Require(account)
	alice := app.As("alice")
	require.Equal(t, http.StatusOK, alice.Get(page, "/").Code)
	app.Clock.Advance(2 * time.Hour)
	require.Equal(t, http.StatusUnauthorized, alice.Get(page, "/").Code)
	require.NotEmpty(t, app.Events())

	other := hosts.Config{Key: c.Key, Clock: app.Clock}
	require.Same(t, app.Clock, sessionstest.Prepare(t, &other).Clock, "two managers, one time")

	mw := ownManager(t, hosts.Config{Key: c.Key})
	require.Equal(t, http.StatusOK, sessionstest.Wrap(t, mw).As("alice").Get(mw.Require(account), "/").Code)
}

// A key is drawn for each test: none may be known.
func TestKeysAreDrawn(t *testing.T) {
	var a, b hosts.Config
	sessionstest.Prepare(t, &a)
	sessionstest.Prepare(t, &b)
	require.Len(t, a.Key.Bytes(), 32)
	require.NotEqual(t, a.Key.Bytes(), b.Key.Bytes())
}

// fakeT is a test that may fail.
type fakeT struct {
	testing.TB
	failed string
	after  []func()
}

func (f *fakeT) Helper()                         {}
func (f *fakeT) Cleanup(do func())               { f.after = append(f.after, do) }
func (f *fakeT) Output() io.Writer               { return io.Discard }
func (f *fakeT) Context() context.Context        { return context.Background() }
func (f *fakeT) Fatal(args ...any)               { f.fail(fmt.Sprint(args...)) }
func (f *fakeT) Fatalf(form string, args ...any) { f.fail(fmt.Sprintf(form, args...)) }
func (f *fakeT) Error(args ...any)               { f.failed = fmt.Sprint(args...) }
func (f *fakeT) fail(why string) {
	f.failed = why
	runtime.Goexit()
}

// run is one test from its begin to its cleanup.
func (f *fakeT) run(test func(testing.TB)) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := range f.after {
				f.after[len(f.after)-1-i]()
			}
		}()
		test(f)
	}()
	<-done
	return f.failed
}

type badClock struct{}

func (badClock) Now() core.Time { return 0 }

func TestMistakesEndTheTest(t *testing.T) {
	mw := ownManager(t, hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32])})
	for want, test := range map[string]func(testing.TB){
		"IdleTimeout": func(t testing.TB) {
			sessionstest.With(t, sessionstest.Setup{Config: hosts.Config{IdleTimeout: -1}})
		},
		"LoginPath": func(t testing.TB) {
			sessionstest.With(t, sessionstest.Setup{Options: nethttp.Options{LoginPath: "login"}})
		},
		"cannot be prepared: session value \"x\" of type chan int": func(t testing.TB) { sessionstest.New(t).As("alice").With("x", make(chan int)).Get(account, "/") },
		"visitor \"\\x00\" cannot be prepared":                     func(t testing.TB) { sessionstest.New(t).As("\x00").Get(account, "/") },
		"503": func(t testing.TB) {
			sessionstest.With(t, sessionstest.Setup{Store: noStore{}}).As("alice").Get(account, "/")
		},
		"\"bob\" has 0 live sessions":                  func(t testing.TB) { sessionstest.New(t).Session("bob") },
		"sessions of \"bob\": ":                        func(t testing.TB) { sessionstest.With(t, sessionstest.Setup{Store: noStore{}}).Session("bob") },
		"Config.Clock is a sessionstest_test.badClock": func(t testing.TB) { sessionstest.Prepare(t, &hosts.Config{Clock: badClock{}}) },
		"another clock":                                func(t testing.TB) { sessionstest.Prepare(t, new(hosts.Config)).Use(mw) },
		"time of a wrapped middleware cannot be moved": func(t testing.TB) { sessionstest.Wrap(t, mw).Clock.Advance(1) },
		"events of a wrapped middleware are not seen":  func(t testing.TB) { sessionstest.Wrap(t, mw).Events() },
		"events were lost": func(t testing.TB) {
			app := sessionstest.New(t)
			b := app.Visitor()
			b.Header.Set("Cookie", app.Manager.Policy().CookieName+"=x")
			for range 10_001 {
				b.Get(account, "/")
			}
			app.Events()
		},
		"makes no session": func(t testing.TB) {
			c := hosts.Config{Entropy: noEntropy{}}
			sessionstest.With(t, sessionstest.Setup{Config: c})
		},
	} {
		require.Contains(t, new(fakeT).run(test), want)
	}
	require.Empty(t, new(fakeT).run(func(t testing.TB) { sessionstest.New(t).As("alice").Get(account, "/") }), "and what is right does not")
}

// A client gets the reason as an error: it may be asked in another goroutine.
func TestClientThatCannotSignIn(t *testing.T) {
	app := sessionstest.New(t)
	server := app.Serve(account)
	_, err := app.As("\x00").Client(server).Post(server.URL, "text/plain", strings.NewReader("x"))
	require.ErrorIs(t, err, core.ErrBadUser)
}

var errDown = errors.New("down")

// noStore is down.
type noStore struct{}

func (noStore) Load(context.Context, core.ID) (core.Record, error)    { return core.Record{}, errDown }
func (noStore) Save(context.Context, core.Record, core.Version) error { return errDown }
func (noStore) Delete(context.Context, core.ID) error                 { return errDown }

type noEntropy struct{}

func (noEntropy) Read([]byte) (int, error) { return 0, errDown }
