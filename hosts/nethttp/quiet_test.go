package nethttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

const idle = 16 * time.Minute // a use is noted once a minute

func (b *browser) with(field, value string) *browser {
	c := b.copy()
	c.header.Set(field, value)
	return c
}

// TestRequestsOfNoPerson: which requests are a use of the session.
func TestRequestsOfNoPerson(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: idle, RenewAfter: 3 * time.Minute}})
	reads := func(w http.ResponseWriter, r *http.Request) {
		if v, err := nethttp.From(r); err != nil || v.User() != "alice" {
			t.Error(v, err)
		}
	}
	late := func(w http.ResponseWriter, r *http.Request) { // Quiet stands behind what has the session already
		reads(w, r)
		s.mw.Quiet(http.HandlerFunc(reads)).ServeHTTP(w, r)
	}
	for _, c := range []struct {
		name         string
		field, value string
		handler      http.HandlerFunc
		quiet        bool
	}{
		{"a page", "", "", reads, false},
		{"a route", "", "", s.mw.Quiet(http.HandlerFunc(reads)).ServeHTTP, true},
		{"a route, late", "", "", late, true},
		{"the field", nethttp.QuietField, "1", reads, true},
		{"the field, off", nethttp.QuietField, "0", reads, false},
		{"a prefetch", "Sec-Purpose", "prefetch", reads, true},
		{"a prerender", "Sec-Purpose", "prefetch;prerender", reads, true},
		{"a prefetch by a proxy", "Sec-Purpose", "prefetch; anonymous-client-ip", reads, true},
		{"an older browser's", "Purpose", "prefetch", reads, true},
		{"another purpose", "Sec-Purpose", "prefetched", reads, false},
	} {
		b := s.browser()
		id := b.login("alice")
		s.clock.pass(5 * time.Minute)
		before, _ := s.stored(id)
		s.counts()
		visitor := b
		if c.field != "" {
			visitor = b.with(c.field, c.value)
		}
		a := visitor.get(c.handler)
		require.Equal(t, 200, a.status, c.name)
		after, _ := s.stored(id)
		if !c.quiet {
			require.NotEqual(t, before.SeenAt, after.SeenAt, c.name)
			require.NotEmpty(t, a.ours(), c.name)
			continue
		}
		require.Equal(t, [3]int64{1, 0, 0}, s.counts(), c.name)
		require.Equal(t, before, after, c.name)
		require.Empty(t, a.header["Set-Cookie"], c.name)
	}
}

// TestQuietRequestsChangeValues, and are a use only where they log in or refresh.
func TestQuietRequestsChangeValues(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: idle}})
	b := s.browser()
	id := b.login("alice")
	s.clock.pass(5 * time.Minute)
	before, _ := s.stored(id)
	poll := b.with(nethttp.QuietField, "1")
	for range 3 {
		a := poll.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
			if _, err := v.Add("polls", 1); err != nil {
				return err
			}
			fmt.Fprint(w, "begun")
			_, err := v.Add("after the first byte", 1)
			return err
		})
		require.Empty(t, a.ours())
	}
	after, _ := s.stored(id)
	require.Equal(t, before.SeenAt, after.SeenAt)
	for _, name := range []string{"polls", "after the first byte"} {
		require.Equal(t, 3, poll.value(name))
	}
	poll.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Refresh() })
	after, _ = s.stored(id)
	require.Equal(t, s.clock.Now(), after.SeenAt)
	a := poll.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Login("alice", 0) })
	require.Len(t, a.ours(), 1)
	require.NotEqual(t, b.cookie, poll.cookie)
	require.Error(t, b.refusal(), "the cookie of before opens nothing")

	fresh := s.browser().with(nethttp.QuietField, "1")
	require.Len(t, fresh.put("cart", 1).ours(), 1, "a new session is stored as ever")
	require.Equal(t, 1, fresh.value("cart"))
}

func (b *browser) status(method string) (a answer, s nethttp.Status) {
	ctx := b.s.t.Context()
	a = b.send(ctx, method, b.s.mw.StatusHandler().ServeHTTP)
	if a.status == http.StatusOK && method != http.MethodHead {
		require.Equal(b.s.t, "application/json", a.header.Get("Content-Type"))
		require.NoError(b.s.t, json.Unmarshal([]byte(a.body), &s))
	}
	return a, s
}

// TestStatus: it shows what is left, and changes nothing.
func TestStatus(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: idle, RenewAfter: 3 * time.Minute}})
	b := s.browser()
	a, got := b.status("GET")
	require.Equal(t, nethttp.Status{Reason: "none"}, got)
	require.Equal(t, `{"signed_in":false,"idle_seconds":0,"absolute_seconds":0,"reason":"none"}`+"\n", a.body)

	id := b.login("alice")
	s.clock.pass(5*time.Minute + time.Millisecond)
	before, _ := s.stored(id)
	for _, method := range []string{"GET", "HEAD"} {
		s.counts()
		a, got = b.status(method)
		require.Equal(t, [3]int64{1, 0, 0}, s.counts())
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.Empty(t, a.header["Set-Cookie"])
		if method == "GET" {
			require.Equal(t, nethttp.Status{SignedIn: true, IdleSeconds: 11*60 - 1, AbsoluteSeconds: 24*3600 - 301}, got)
		}
	}
	after, _ := s.stored(id)
	require.Equal(t, before, after)
	for _, method := range []string{"PUT", "DELETE", "OPTIONS"} {
		a, _ = b.status(method)
		require.Equal(t, http.StatusMethodNotAllowed, a.status)
		require.Equal(t, "GET, HEAD, POST", a.header.Get("Allow"))
	}
	s.faults(always(conformance.Load, conformance.Fail))
	for _, method := range []string{"GET", "HEAD", "POST"} {
		a, _ = b.status(method)
		require.Equal(t, http.StatusServiceUnavailable, a.status, method)
		require.Empty(t, a.header["Set-Cookie"])
	}
	s.mend()

	thief := b.copy()
	s.clock.pass(11 * time.Minute)
	_, got = b.status("GET")
	require.Equal(t, nethttp.Status{Reason: "idle"}, got)
	b.login("alice")
	b.put("cart", 1)
	_, got = b.status("GET")
	require.True(t, got.SignedIn)
	_, got = thief.status("GET")
	require.NotEmpty(t, got.Reason)

	guest := s.browser()
	guest.put("cart", 1)
	_, got = guest.status("GET")
	require.Equal(t, nethttp.Status{IdleSeconds: 16 * 60, AbsoluteSeconds: 3600}, got, "a cart expires, too")
}

// TestStatusClearsNoCookie, though it ends a session whose cookie was stolen.
func TestStatusClearsNoCookie(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{BindUserAgent: true}})
	b := s.browser()
	id := b.login("alice")
	a, got := b.with("User-Agent", "another").status("GET")
	require.Equal(t, nethttp.Status{Reason: "user_agent_changed"}, got)
	require.Empty(t, a.header["Set-Cookie"])
	_, lives := s.stored(id)
	require.False(t, lives)
}

// TestExtend: a POST is a use, of this site's pages alone.
func TestExtend(t *testing.T) {
	for _, extends := range []bool{false, true} {
		s := open(t, setup{Config: hosts.Config{IdleTimeout: idle, MaxLifetime: 25 * time.Hour, RenewAfter: 8 * time.Minute}, Options: nethttp.Options{ExtendLifetime: extends}})
		b := s.browser()
		b.login("alice")
		for _, pass := range []time.Duration{10 * time.Minute, 15 * time.Minute} {
			s.clock.pass(pass)
			b.header.Set(nethttp.QuietField, "1")
			a, got := b.status("POST")
			require.Equal(t, 200, a.status, a.body)
			require.EqualValues(t, 16*60, got.IdleSeconds)
			if extends {
				require.EqualValues(t, 24*3600, got.AbsoluteSeconds)
				require.Len(t, a.ours(), 1)
			} else {
				require.Less(t, got.AbsoluteSeconds, int64(24*3600))
				require.Len(t, a.ours(), 1, "the renewal that is due comes with it")
			}
		}
		s.clock.pass(15 * time.Minute)
		for field, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			a, _ := b.with(field, value).status("POST")
			require.Equal(t, http.StatusForbidden, a.status)
		}
		s.clock.pass(time.Minute)
		_, got := b.status("POST")
		require.Equal(t, nethttp.Status{Reason: "idle"}, got, "what is over is not extended")
		a, got := s.browser().status("POST")
		require.Equal(t, nethttp.Status{Reason: "none"}, got)
		require.Empty(t, a.header["Set-Cookie"])
	}
}

// TestExtendFromAnotherOrigin: of a page whose origin is trusted, as by the program's forms.
// Everybody's browser may ask how long is left: who may read the answer is CORS' to say.
func TestExtendFromAnotherOrigin(t *testing.T) {
	trusting := http.NewCrossOriginProtection()
	trusting.SetDenyHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler answers by itself") }))
	require.NoError(t, trusting.AddTrustedOrigin("https://app.example.com"))
	for _, guard := range []*http.CrossOriginProtection{trusting, nil} {
		s := open(t, setup{Config: hosts.Config{IdleTimeout: idle}, Options: nethttp.Options{CrossOrigin: guard}})
		b := s.browser()
		b.login("alice")
		for origin, trusted := range map[string]bool{
			"https://app.example.com": guard != nil, "https://other.example.com": false, "http://app.example.com": false, "null": false,
		} {
			for _, site := range []string{"same-site", "cross-site"} {
				b.login("alice")
				s.clock.pass(10 * time.Minute)
				page := b.with("Origin", origin).with("Sec-Fetch-Site", site)
				a, got := page.status("GET")
				require.Equal(t, http.StatusOK, a.status)
				require.EqualValues(t, 6*60, got.IdleSeconds)
				a, got = page.status("POST")
				if !trusted {
					require.Equal(t, http.StatusForbidden, a.status, "%s, %s", origin, site)
					continue
				}
				require.Equal(t, http.StatusOK, a.status, "%s, %s", origin, site)
				require.EqualValues(t, 16*60, got.IdleSeconds)
			}
		}
	}
}

// TestExtendSaysWhereItFailed: a store that reads and does not write.
func TestExtendSaysWhereItFailed(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: idle}})
	b := s.browser()
	b.login("alice")
	s.clock.pass(10 * time.Minute)
	s.faults(always(conformance.Save, conformance.Fail))
	a, _ := b.status("POST")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	s.mend()
	_, got := b.status("POST")
	require.EqualValues(t, 16*60, got.IdleSeconds)
}

// TestStatusOfACacheAsksNoStore: it is a read like any other.
func TestStatusOfACacheAsksNoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := cluster(t, 0, 1)
		mw, err := nethttp.New(s[0].m, nethttp.Options{})
		require.NoError(t, err)
		alice := jar(t)
		s[0].call(t, alice, "POST", "/login?user=alice")
		<-time.After(3 * time.Second)
		for range 3 {
			s[0].call(t, alice, "GET", "/who")
			<-time.After(100 * time.Millisecond)
		}
		s[0].handler = mw.StatusHandler()
		loads := store.loads.Load()
		for range 20 {
			body, _ := s[0].call(t, alice, "GET", "/session")
			require.Contains(t, body, `"signed_in":true`)
			<-time.After(50 * time.Millisecond)
		}
		require.Equal(t, loads, store.loads.Load())
	})
}
