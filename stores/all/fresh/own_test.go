package fresh

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/soak"
)

const (
	jars   = 8  // visitors at once
	clicks = 20 // of each of them
)

// forgetful is a jar that does not keep the cookie that follows a change.
type forgetful struct{ http.CookieJar }

func (f forgetful) SetCookies(u *url.URL, cookies []*http.Cookie) {
	var kept []*http.Cookie
	for _, c := range cookies {
		if !strings.HasSuffix(c.Name, core.ChangedSuffix) {
			kept = append(kept, c)
		}
	}
	f.CookieJar.SetCookies(u, kept)
}

// browse has a visitor click and read, each time at another server, and returns how
// many answers missed an earlier click. Cookies know no ports: they are of all servers.
func browse(t *testing.T, fleet []*process, jar http.CookieJar, user string, n int) (missed int) {
	c := client()
	c.Jar = jar
	defer c.CloseIdleConnections()
	pick := func() *process { return fleet[rand.IntN(len(fleet))] }
	_, _, err := call(c, pick(), "POST", "/login?user="+user, "")
	if !assert.NoError(t, err) {
		return 0
	}
	for i := range n {
		_, _, err := call(c, pick(), "POST", "/add", "")
		if !assert.NoError(t, err) {
			return missed
		}
		for range 2 {
			body, _, err := call(c, pick(), "GET", "/who", "")
			if !assert.NoError(t, err) {
				return missed
			}
			if body != fmt.Sprint(user, " ", i+1) {
				missed++
			}
		}
	}
	return missed
}

// browseAll has many visitors at once.
func browseAll(t *testing.T, store string, visitors, n int, jar func() http.CookieJar) (missed int64) {
	var fleet []*process
	for range 3 {
		fleet = append(fleet, start(t, "-store", store, "-cache", "8388608"))
	}
	var all sync.WaitGroup
	var sum atomic.Int64
	for i := range visitors {
		all.Go(func() { sum.Add(int64(browse(t, fleet, jar(), fmt.Sprint("user", i), n))) })
	}
	all.Wait()
	cached, _ := hits(fleet)
	t.Logf("%d visitors with %d clicks each: %d of %d answers missed an earlier click of the same visitor, %d came from a cache",
		visitors, n, sum.Load(), 2*visitors*n, cached)
	return sum.Load()
}

// TestOwnWritesAreRead: three processes answer one visitor in turn, and each answer shows
// all that they did before.
func TestOwnWritesAreRead(t *testing.T) {
	visitors, n := soak.Rounds(t, jars, 100), soak.Rounds(t, clicks, 50)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			require.Zero(t, browseAll(t, b.open(t), visitors, n, cookies))
		})
	}
}

// TestOwnWritesAreMissedWithoutTheCookie that follows a change: it is what has them read.
func TestOwnWritesAreMissedWithoutTheCookie(t *testing.T) {
	missed := browseAll(t, backends[0].open(t), soak.Rounds(t, jars, 20), clicks, func() http.CookieJar { return forgetful{cookies()} })
	require.NotZero(t, missed)
}

func cookies() http.CookieJar {
	jar, _ := cookiejar.New(nil) // never fails
	return jar
}
