package mission

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// Two servers on one store, each with a cache of its own before it. What three processes
// do under load is stores/all/fresh.
var cachedRows = []row{{"E41", readsAskNoStore}, {"E42", logoutsHoldOverCaches}, {"E43", ownWritesAreRead}, {"E44", connectionsEndWithTheirSession}}

// twoCaches returns two servers, and a visitor who is signed in, and whom both have in
// their caches.
func twoCaches(t *testing.T, b backend) (one, other *site, ann *browser) {
	b.url = cached(b.url)
	one = open(t, b, setup{})
	other = one.twin()
	ann = one.browser()
	ann.login("/verbs", "ann")
	for _, s := range []*site{one, other} {
		s.fromCache(ann.to(s))
	}
	return one, other, ann.to(one)
}

func (s *site) stats() hosts.CacheStats { return able[*cachestore.Cached](s.t, s.store).Stats() }

// fromCache reads until an answer came from the cache.
func (s *site) fromCache(ann *browser) {
	s.t.Helper()
	late := time.Now().Add(patience)
	for hits := s.stats().Hits; s.stats().Hits == hits; {
		require.True(s.t, time.Now().Before(late), "no answer came from the cache: %+v", s.stats())
		ann.get("/middleware/me").is(http.StatusOK)
	}
}

// counts adds one, and answers with what it read before.
func counts(v *nethttp.Session, w http.ResponseWriter) {
	n, err := hosts.Get[int](v, "n")
	if err != nil && n != 0 {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := v.Add("n", 1); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, n)
}

// readsAskNoStore: hosts/nethttp counts the calls of a store, and finds none.
func readsAskNoStore(t *testing.T, b backend) {
	one, other, ann := twoCaches(t, b)
	const reads = 50
	for _, s := range []*site{one, other} {
		before := s.stats().Hits
		for range reads {
			ann.to(s).get("/middleware/me").is(http.StatusOK)
		}
		require.Greater(t, s.stats().Hits-before, uint64(reads/2), "more only on an idle machine: a belief lasts for feed.Lease")
	}
}

func logoutsHoldOverCaches(t *testing.T, b backend) {
	one, other, ann := twoCaches(t, b)
	for i := range 3 {
		if i > 0 {
			ann.to(one).login("/verbs", "ann")
			one.fromCache(ann)
			other.fromCache(ann.to(other))
		}
		thief := ann.to(other).thief()
		ann.to(one).post("/middleware/logout").is(http.StatusOK)
		thief.get("/verbs/me").refused(core.ReasonUnknown)
		thief.to(one).get("/verbs/me").refused(core.ReasonUnknown)
	}
}

func ownWritesAreRead(t *testing.T, b backend) {
	one, other, ann := twoCaches(t, b)
	for i := range 20 {
		s := []*site{one, other}[i%2]
		require.Equal(t, fmt.Sprint(i), ann.to(s).visiting(counts).is(http.StatusOK).body)
	}
}

func connectionsEndWithTheirSession(t *testing.T, b backend) {
	one, other, ann := twoCaches(t, b)
	bob := other.browser()
	bob.login("/verbs", "bob")
	open, ended := make(chan struct{}, 2), make(chan string, 2)
	stream := func(v *nethttp.Session, w http.ResponseWriter) {
		over, err := v.Ended()
		if err != nil {
			t.Error(err)
		}
		open <- struct{}{}
		select {
		case <-over:
			ended <- v.User()
		case <-time.After(patience):
			ended <- "too late: " + v.User()
		}
	}
	for _, visitor := range []*browser{ann.to(other), bob} {
		go func() { _, _ = visitor.tryCall("/call", other.within(stream)) }()
		<-open
	}
	again := ann.thief()
	again.to(one).post("/middleware/logout").is(http.StatusOK)
	require.Equal(t, "ann", <-ended)
	bob.get("/middleware/me").is(http.StatusOK)
	require.Empty(t, ended, "nobody else's")
	bob.post("/middleware/logout").is(http.StatusOK)
	require.Equal(t, "bob", <-ended)
}
