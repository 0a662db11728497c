package nethttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

const deleting = 400 * time.Millisecond

// slow takes its time to delete.
type slow struct{ hosts.Store }

func (s slow) Delete(ctx context.Context, id core.ID) error {
	<-time.After(deleting)
	return s.Store.Delete(ctx, id)
}

func (s slow) Unwrap() hosts.Store { return s.Store }

// TestALogoutWaitsForAllThatItEnds: where a browser shows two sessions, the wait begins
// when the second one has ended.
func TestALogoutWaitsForAllThatItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := cluster(t, 0, 1)
		m, err := hosts.New(slow{store}, hosts.Config{Key: siteKey, NoCleanup: true})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		mw, err := nethttp.New(m, nethttp.Options{})
		require.NoError(t, err)
		both := []http.CookieJar{jar(t), jar(t)}
		r := httptest.NewRequest("POST", "https://shop.example/logout", nil)
		for _, j := range both {
			s[0].call(t, j, "POST", "/login?user=alice")
			<-time.After(3 * time.Second)
			for _, c := range j.Cookies(shop) {
				r.AddCookie(c)
			}
		}
		reads := make(chan struct{})
		go func() {
			defer close(reads)
			for range 200 {
				for _, j := range both {
					s[0].call(t, j, "GET", "/who")
				}
				<-time.After(10 * time.Millisecond)
			}
		}()
		<-time.After(time.Second)
		began := time.Now()
		w := httptest.NewRecorder()
		mw.Handler(pages(mw)).ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, 2*deleting+feed.Wait, time.Since(began))
		for _, j := range both {
			body, _ := s[0].call(t, j, "GET", "/who")
			require.Equal(t, "200  <nil>", body)
		}
		<-reads
	})
}
