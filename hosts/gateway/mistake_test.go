package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// echo is an origin without a network: it answers with whom it was told of.
type echo struct{}

func (echo) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(r.Header.Get("Session-User"))), Request: r}, nil
}

// crowd is a gateway and the cookies of users, each named after his number.
type crowd struct {
	gate    http.Handler
	manager *hosts.Manager
	cookies []string
}

func newCrowd(t testing.TB, users int, c hosts.Config) *crowd {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	c.Key, c.AllowInsecure, c.NoCleanup = testKey, true, true
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	g, err := gateway.New(gateway.Options{Origin: &url.URL{Scheme: "http", Host: "origin.test"}, Middleware: mw, Transport: echo{}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	w := &crowd{gate: g, manager: m}
	for n := range users {
		login := mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			require.NoError(t, err)
			require.NoError(t, v.Login(fmt.Sprint("user-", n), 0))
		}))
		a := httptest.NewRecorder()
		login.ServeHTTP(a, httptest.NewRequest("GET", "http://x/login", nil))
		cookie, _, _ := strings.Cut(a.Header().Get("Set-Cookie"), ";")
		w.cookies = append(w.cookies, cookie)
	}
	return w
}

// ask sends a good or a spoilt cookie, and reports an answer that is not what
// the cookie deserves.
func (w *crowd) ask(r *rand.Rand, ended map[int]bool) error {
	n := r.IntN(len(w.cookies))
	cookie, good := w.cookies[n], !ended[n]
	switch r.IntN(8) {
	case 0: // another character
		b := []byte(cookie)
		at := len("rockstar_session=") + r.IntN(124)
		b[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[r.IntN(64)]
		good = good && bytes.Equal(b, []byte(cookie))
		cookie = string(b)
	case 1: // two halves of two users'
		other := w.cookies[r.IntN(len(w.cookies))]
		mixed := cookie[:80] + other[80:]
		good = good && mixed == cookie
		cookie = mixed
	case 2:
		cookie, good = cookie[:r.IntN(len(cookie))], false
	case 3:
		cookie, good = "", false
	}
	a, req := httptest.NewRecorder(), httptest.NewRequest("GET", "http://x/account", nil)
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	w.gate.ServeHTTP(a, req)
	want, user := http.StatusUnauthorized, ""
	if good {
		want, user = http.StatusOK, fmt.Sprint("user-", n)
	}
	if a.Code != want || good && a.Body.String() != user {
		return fmt.Errorf("cookie %q of %s: status %d, want %d, for %q", cookie, user, a.Code, want, a.Body)
	}
	return nil
}

// mixed makes requests from some callers at once, half of the users signed out.
func (w *crowd) mixed(t testing.TB, requests int) {
	const callers = 4
	ended := map[int]bool{}
	for n := 0; n < len(w.cookies); n += 2 {
		ended[n] = true
		_, err := w.manager.Revoke(t.Context(), hosts.Query{User: fmt.Sprint("user-", n)})
		require.NoError(t, err)
	}
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(c), 7))
			for range requests / callers {
				if err := w.ask(r, ended); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestNobodyIsLetInByMistake(t *testing.T) {
	newCrowd(t, 50, hosts.Config{}).mixed(t, 20_000)
}

// BenchmarkRatioMistakes goes on to a million.
func BenchmarkRatioMistakes(b *testing.B) {
	w := newCrowd(b, 50, hosts.Config{})
	for b.Loop() {
		w.mixed(b, 1_000_000)
		mistakes := 0.0
		if b.Failed() {
			mistakes = 1
		}
		ratio.Print("gateway-mistakes-in-a-million", mistakes, 0, false)
	}
}

// BenchmarkRatioGateway compares signed-in requests over 64 connections with the
// same proxy on a public path.
func BenchmarkRatioGateway(b *testing.B) {
	const connections, each, rounds = 64, 40, 15
	s := newSite(b, gateway.Options{}, hosts.Config{Logger: slog.New(slog.DiscardHandler)})
	cookie := s.login("alice")
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	b.Cleanup(origin.Close)
	u, err := url.Parse(origin.URL)
	require.NoError(b, err)
	mw, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(b, err)
	g, err := gateway.New(gateway.Options{Origin: u, Middleware: mw, Rules: []gateway.Rule{{Prefix: "/public", Access: gateway.Public}}})
	require.NoError(b, err)
	server := httptest.NewServer(g)
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	round := func(path string) func() {
		return func() {
			var all sync.WaitGroup
			for range connections {
				all.Go(func() {
					for range each {
						r, err := http.NewRequest("GET", server.URL+path, nil)
						if err == nil {
							r.Header.Set("Cookie", cookie)
							var a *http.Response
							if a, err = client.Do(r); err == nil {
								_, err = io.Copy(io.Discard, a.Body)
								a.Body.Close()
								if a.StatusCode != http.StatusOK {
									err = fmt.Errorf("status %d", a.StatusCode)
								}
							}
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		}
	}
	for b.Loop() {
		t := ratio.Interleave(rounds, round("/account"), round("/public/x"))
		ratio.Print("gateway-of-bare-proxy", t[1].Seconds()/t[0].Seconds(), 0.6, true)
	}
}
