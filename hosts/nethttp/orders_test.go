package nethttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// deedOf is what a request of a tab does.
type deedOf struct {
	name string
	do   func(v *nethttp.Session) error
	user string // who is signed in afterwards, of a browser in which ann or nobody was
	same bool   // the session stays, with its values
}

var (
	asAnn   = deedOf{"login as ann", func(v *nethttp.Session) error { return v.Login("ann", 0) }, "ann", true}
	asBen   = deedOf{"login as ben", func(v *nethttp.Session) error { return v.Login("ben", 0) }, "ben", false}
	renews  = deedOf{"renewal", (*nethttp.Session).Renew, "ann", true}
	logsOut = deedOf{"logout", (*nethttp.Session).Destroy, "", false}
)

func cartOf(n int) deedOf {
	name := fmt.Sprint("cart", n)
	return deedOf{name: name, do: func(v *nethttp.Session) error { return v.Put(name, n) }}
}

// orders calls f with every order of sending, serving and answering so many
// requests: number i stands three times, first for its sending.
func orders(requests int, f func(events []int)) {
	left := make([]int, requests)
	events := make([]int, 0, 3*requests)
	for i := range left {
		left[i] = 3
	}
	var next func()
	next = func() {
		if len(events) == 3*requests {
			f(events)
			return
		}
		for i := range left {
			if left[i] > 0 {
				left[i]--
				events = append(events, i)
				next()
				events = events[:len(events)-1]
				left[i]++
			}
		}
	}
	next()
}

// tabs is one browser whose requests are on their way at once.
type tabs struct {
	s      *site
	cookie string
}

func (b *tabs) serve(cookie string, do func(v *nethttp.Session) error) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookieName+"="+cookie)
	}
	w := httptest.NewRecorder()
	b.s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if err == nil {
			err = do(v)
		}
		if b.s.note(err) != nil {
			b.s.t.Error(err)
		}
	})).ServeHTTP(w, r)
	return w.Result()
}

func (b *tabs) take(resp *http.Response) {
	for _, c := range resp.Cookies() {
		if b.cookie = c.Value; c.MaxAge < 0 {
			b.cookie = ""
		}
	}
}

// TestEveryOrderOfThreeRequests of one browser, of which the middle one signs in,
// signs in as another user, renews or logs out, and the others put a value each:
// whatever is sent, served and answered first, the sign-in is not undone, nor is
// the logout, and no value that was acknowledged is lost where its session lives. The
// short form takes every thirteenth order.
func TestEveryOrderOfThreeRequests(t *testing.T) {
	every, n := soak.Rounds(t, 13, 1), 0
	for _, base := range []string{"", "ann"} {
		for _, renewal := range []bool{false, true} {
			for _, deed := range []deedOf{asAnn, asBen, renews, logsOut} {
				if deed.name == renews.name && base == "" {
					continue
				}
				requests := []deedOf{cartOf(1), deed, cartOf(2)}
				orders(3, func(events []int) {
					if n++; n%every == 0 {
						threeRequests(t, base, renewal, requests, events)
					}
				})
			}
		}
	}
}

func threeRequests(t *testing.T, base string, renewal bool, requests []deedOf, events []int) {
	s := ordersSite(t, renewal)
	b := &tabs{s: s}
	b.take(b.serve("", func(v *nethttp.Session) error {
		if base != "" {
			return v.Login(base, 0)
		}
		return v.Put("basket", 1)
	}))
	if renewal {
		s.clock.pass(11 * time.Minute)
	}
	var sent [3]string
	var answers [3]*http.Response
	step := [3]int{}
	for _, i := range events {
		switch step[i]++; step[i] {
		case 1:
			sent[i] = b.cookie
		case 2:
			answers[i] = b.serve(sent[i], requests[i].do)
		default:
			b.take(answers[i])
		}
	}
	what := fmt.Sprint(base, " ", renewal, " ", requests[1].name, " ", events)
	require.Equal(t, 200, answers[1].StatusCode, what)
	for _, i := range []int{0, 2} {
		if len(answers[i].Cookies()) > 0 && nth(events, i, 2) < nth(events, 1, 2) && nth(events, i, 3) > nth(events, 1, 3) {
			require.True(t, renewal, what)
			return // a renewal's answer that the later one has overtaken: nobody can call it back
		}
	}
	var user string
	values := map[string]bool{}
	b.serve(b.cookie, func(v *nethttp.Session) error {
		user = v.User()
		for _, name := range v.Names() {
			values[name] = true
		}
		return nil
	})
	require.Equal(t, requests[1].user, user, what)
	for _, i := range []int{0, 2} {
		switch answers[i].StatusCode {
		case 200:
			require.True(t, !requests[1].same || values[requests[i].name], "%s: %s is lost", what, requests[i].name)
		case 401:
			require.Empty(t, answers[i].Header["Set-Cookie"], what)
			require.False(t, values[requests[i].name], what)
		default:
			t.Fatal(what, answers[i].StatusCode)
		}
	}
}

// nth is when request i is sent, served or taken: 1, 2, 3.
func nth(events []int, i, n int) int {
	for at, e := range events {
		if e == i {
			n--
		}
		if n == 0 {
			return at
		}
	}
	return -1
}

// ordersSite has no server, and a store that is empty enough: sessions are of
// their own browsers.
func ordersSite(t *testing.T, renewal bool) *site {
	s := &site{t: t, clock: &stillClock{}}
	s.clock.ms.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
	c := hosts.Config{Key: siteKey, Clock: s.clock, NoCleanup: true, AllowInsecure: true, CookieName: cookieName}
	if renewal {
		c.RenewAfter = 10 * time.Minute
	}
	var err error
	s.memory, err = cachestore.Open(cachestore.Options{MaxBytes: cachestore.LeastMaxBytes})
	require.NoError(t, err)
	s.manager, err = hosts.New(s.memory, c)
	require.NoError(t, err)
	s.mw, err = nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	return s
}
