package sessionctl

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// markedStore is a store of which only the mark of caches is asked.
type markedStore struct {
	hosts.Store
	feed.Caching
	state feed.State
	err   error
}

func (m markedStore) CachingState(context.Context) (feed.State, error) { return m.state, m.err }

// TestEndedIsFinal: the commands wait for caches as a logout does, also after an interrupt.
func TestEndedIsFinal(t *testing.T) {
	for name, c := range map[string]struct {
		store hosts.Store
		waits time.Duration
	}{
		"none":             {markedStore{state: feed.None}, 0},
		"on":               {markedStore{state: feed.On}, feed.Wait},
		"stopping":         {markedStore{state: feed.Stopping}, feed.Wait},
		"off":              {markedStore{state: feed.Off}, 0},
		"unknown":          {markedStore{err: errors.New("no answer")}, feed.Wait},
		"without the mark": {struct{ hosts.Store }{}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			begun := time.Now()
			final(ctx, c.store)
			require.Equal(t, c.waits, time.Since(begun), name)
		})
	}
}
