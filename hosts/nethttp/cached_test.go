package nethttp_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// server is one of several processes on one store, with a cache or without.
type server struct {
	m       *hosts.Manager
	cache   *cachestore.Cached
	handler http.Handler
}

// cluster is a store with servers; the first plain ones have no cache.
func cluster(t *testing.T, plain, cached int) (*marked, []*server) {
	t.Helper()
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	store := &marked{Store: memory}
	var all []*server
	for i := range plain + cached {
		s := &server{}
		behind := hosts.Store(store)
		if i >= plain {
			s.cache, err = cachestore.NewCached(store, cachestore.CachedOptions{MaxBytes: 1 << 20})
			require.NoError(t, err)
			behind = s.cache
		}
		s.m, err = hosts.New(behind, hosts.Config{Key: siteKey, NoCleanup: true})
		require.NoError(t, err)
		mw, err := nethttp.New(s.m, nethttp.Options{})
		require.NoError(t, err)
		s.handler = mw.Handler(pages(mw))
		all = append(all, s)
	}
	t.Cleanup(func() {
		for _, s := range all {
			require.NoError(t, s.m.Close())
			if s.cache != nil {
				require.NoError(t, s.cache.Close())
			}
		}
		require.NoError(t, memory.Close())
	})
	return store, all
}

func pages(mw *nethttp.Middleware) http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range map[string]nethttp.HandlerFunc{
		"POST /login": func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
			return s.Login(r.FormValue("user"), 0)
		},
		"GET /who": func(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			n, _ := s.Get("n")
			_, err := fmt.Fprint(w, s.User(), " ", n)
			return err
		},
		"POST /add": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			_, err := s.Add("n", 1)
			return err
		},
		"POST /read": func(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
			n, err := s.Get("n")
			if err != nil {
				return err
			}
			return s.Put("n", n.(int)+1)
		},
		"POST /logout": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Destroy() },
		"POST /goodbye": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			if err := s.Destroy(); err != nil {
				return err
			}
			return s.Put("flash", "You are logged out.")
		},
		"POST /switch": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			if err := s.Destroy(); err != nil {
				return err
			}
			return s.Login("bob", 0)
		},
		"POST /everywhere": func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
			_, err := s.SignOutEverywhere(r.Context())
			return err
		},
		"POST /fail": func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			if err := s.Destroy(); err != nil {
				return err
			}
			return &nethttp.StatusError{Status: 422, Text: "no"}
		},
	} {
		mux.Handle(pattern, mw.HandlerFunc(f))
	}
	return mux
}

var shop = &url.URL{Scheme: "https", Host: "shop.example"}

func jar(t *testing.T) http.CookieJar {
	t.Helper()
	j, err := cookiejar.New(nil)
	require.NoError(t, err)
	return j
}

// call makes one request with the cookies of a jar, and keeps those of the answer.
func (s *server) call(t *testing.T, j http.CookieJar, method, path string) (string, time.Duration) {
	t.Helper()
	r := httptest.NewRequest(method, "https://shop.example"+path, nil)
	for _, c := range j.Cookies(shop) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	begun := time.Now()
	s.handler.ServeHTTP(w, r)
	j.SetCookies(shop, w.Result().Cookies())
	return fmt.Sprint(w.Code, " ", w.Body), time.Since(begun)
}

// TestCachedReadsAskNoStore, and see every change of more than a lease ago.
func TestCachedReadsAskNoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := cluster(t, 1, 2)
		alice := jar(t)
		s[1].call(t, alice, "POST", "/login?user=alice")
		<-time.After(3 * time.Second) // the cookie of the change is gone
		for range 3 {
			s[1].call(t, alice, "GET", "/who")
			<-time.After(100 * time.Millisecond)
		}
		loads := store.loads.Load()
		for range 50 {
			body, _ := s[1].call(t, alice, "GET", "/who")
			require.Equal(t, "200 alice <nil>", body)
			<-time.After(50 * time.Millisecond)
		}
		require.Equal(t, loads, store.loads.Load(), "reads asked the store")
		s[0].call(t, alice, "POST", "/add")
		<-time.After(feed.Lease)
		body, _ := s[1].call(t, alice, "GET", "/who")
		require.Equal(t, "200 alice 1", body)
	})
}

// TestALogoutWaitsForCaches: once it is answered, no server shows the session signed
// in, and until then only those that could not know yet. Everything that ends a session
// for its visitor waits once; who signs in again does not.
func TestALogoutWaitsForCaches(t *testing.T) {
	for _, c := range []struct {
		path  string
		waits time.Duration
		body  string
	}{
		{"/logout", feed.Wait, "200 "},
		{"/goodbye", feed.Wait, "200 "},
		{"/everywhere", feed.Wait, "200 "},
		{"/switch", 0, "200 "},
	} {
		for at := range 3 { // without a cache, with one, with the one that read
			t.Run(fmt.Sprint(c.path, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, s := cluster(t, 1, 2)
					alice := jar(t)
					s[2].call(t, alice, "POST", "/login?user=alice")
					<-time.After(3 * time.Second)
					for range 10 {
						s[2].call(t, alice, "GET", "/who")
						<-time.After(100 * time.Millisecond)
					}
					copied := jar(t)
					copied.SetCookies(shop, alice.Cookies(shop))
					done := make(chan struct{})
					go func() { // hammers while the logout is under way
						defer close(done)
						for range 100 {
							s[2].call(t, copied, "GET", "/who")
							<-time.After(10 * time.Millisecond)
						}
					}()
					body, took := s[at].call(t, alice, "POST", c.path)
					require.Equal(t, c.body, body)
					require.Equal(t, c.waits, took)
					if c.waits > 0 {
						for _, each := range s {
							body, _ := each.call(t, copied, "GET", "/who")
							require.Equal(t, "200  <nil>", body)
						}
					}
					<-done
				})
			})
		}
	}
}

// TestALogoutThatNobodyMayDoubtDoesNotWait: no cache was ever in use, or an operator
// has switched caching off.
func TestALogoutWithoutCachesDoesNotWait(t *testing.T) {
	for _, state := range []feed.State{feed.None, feed.Off} {
		synctest.Test(t, func(t *testing.T) {
			store, s := cluster(t, 1, 0)
			require.NoError(t, store.SetCaching(t.Context(), state))
			alice := jar(t)
			s[0].call(t, alice, "POST", "/login?user=alice")
			_, took := s[0].call(t, alice, "POST", "/logout")
			require.Zero(t, took)
		})
	}
}

// TestOwnWritesAreRead on another server at once, by the cookie of a moment.
func TestOwnWritesAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := cluster(t, 0, 3)
		alice := jar(t)
		s[0].call(t, alice, "POST", "/login?user=alice")
		for i := range 50 {
			s[i%3].call(t, alice, "GET", "/who")
			s[i%3].call(t, alice, "POST", "/add")
			body, _ := s[(i+1)%3].call(t, alice, "GET", "/who")
			require.Equal(t, fmt.Sprint("200 alice ", i+1), body)
		}
		var seen int
		for _, c := range alice.Cookies(shop) {
			if c.Name == core.DefaultCookieName+core.ChangedSuffix {
				seen++
			}
		}
		require.Equal(t, 1, seen)
	})
}

// TestChangesOfAnOldBase: a change without a read costs no load; one that reads first
// reads what is stored now, and meets no conflict that no overlap explains.
func TestChangesOfAnOldBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := cluster(t, 1, 1)
		alice := jar(t)
		s[1].call(t, alice, "POST", "/login?user=alice")
		s[1].call(t, alice, "POST", "/add")
		other := jar(t) // the same visitor's other browser window, without the cookie of the change
		for _, c := range alice.Cookies(shop) {
			if c.Name == core.DefaultCookieName {
				other.SetCookies(shop, []*http.Cookie{{Name: c.Name, Value: c.Value}})
			}
		}
		for range 20 {
			s[1].call(t, other, "GET", "/who")
			<-time.After(50 * time.Millisecond)
		}
		loads := store.loads.Load()
		body, _ := s[1].call(t, other, "POST", "/add")
		require.Equal(t, "200 ", body)
		require.Equal(t, loads, store.loads.Load(), "an addition loaded the session")
		for i := range 20 {
			plain := jar(t)
			plain.SetCookies(shop, []*http.Cookie{named(other.Cookies(shop), core.DefaultCookieName)})
			body, _ = s[i%2].call(t, plain, "POST", "/read")
			require.Equal(t, "200 ", body)
		}
		<-time.After(time.Second)
		body, _ = s[1].call(t, other, "GET", "/who")
		require.Equal(t, "200 alice 22", body)
	})
}

func named(cookies []*http.Cookie, name string) *http.Cookie {
	for _, c := range cookies {
		if c.Name == name {
			return &http.Cookie{Name: c.Name, Value: c.Value}
		}
	}
	return nil
}

// TestAWaitThatIsCutShortIsAnError, and no success.
func TestAWaitThatIsCutShortIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := cluster(t, 1, 0)
		require.NoError(t, store.EnableCaching(t.Context()))
		alice := jar(t)
		s[0].call(t, alice, "POST", "/login?user=alice")
		go func() {
			<-time.After(100 * time.Millisecond)
			_ = s[0].m.Close()
		}()
		body, took := s[0].call(t, alice, "POST", "/logout")
		require.Equal(t, "503 You are logged out. Other servers may take a second to know; try again.\n", body)
		require.Equal(t, 100*time.Millisecond, took)
	})
}
