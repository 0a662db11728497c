package sessionctl

import (
	"context"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// final waits until no server's cache can show a session that was ended before the call,
// as a logout on a server does. Servers may cache if the mark cannot be read. An interrupt
// does not shorten it: what is reported as ended must be.
func final(ctx context.Context, store hosts.Store) {
	caching, ok := hosts.As[feed.Caching](store)
	if !ok {
		return
	}
	since := time.Now()
	asking, cancel := begin(ctx, callTime)
	defer cancel()
	if state, err := caching.CachingState(asking); err != nil || state.Waits() {
		<-time.After(time.Until(since.Add(feed.Wait)))
	}
}
