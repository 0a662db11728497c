package demo

import (
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionstest"
	"github.com/rockstar-web/sessions/stores"
	"github.com/stretchr/testify/require"
)

// Limits for tests.
const (
	MaxRuns  = maxRuns
	MaxNotes = maxNotes
)

// Handlers are the demo's without its server and its key, over sessions in memory.
func Handlers(t *testing.T, o Options) (*sessionstest.App, http.Handler) {
	feed := newFeed(time.Now())
	c := o.config(feed)
	app := sessionstest.Prepare(t, &c)
	o.Clock = app.Clock
	store, closer, err := stores.Open(t.Context(), "memory:")
	require.NoError(t, err)
	manager, err := hosts.New(store, c)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, manager.Close())
		require.NoError(t, closer.Close())
	})
	site, err := newSite(manager, feed, o, keyInfo{})
	require.NoError(t, err)
	return app.Use(site.mw), site.handler
}
