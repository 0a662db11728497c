package redis

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

var prefixes atomic.Int64

// newPrefix is nobody else's on a server that tests share.
func newPrefix() string {
	return fmt.Sprintf("test-%d-%d:", time.Now().UnixNano(), prefixes.Add(1))
}

// open opens a store and empties and closes it at the end.
func open(t testing.TB, url string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// pair is two handles on one prefix, whose index is looked at in the end.
func pair(t *testing.T, url string) (a, b hosts.Store) {
	o := Options{Prefix: newPrefix()}
	s := open(t, url, o)
	t.Cleanup(func() {
		if !t.Failed() {
			audit(t, s)
		}
		wipe(t, s)
	})
	return s, open(t, url, o)
}

func TestConformance(t *testing.T) {
	url := servers.Redis(t)
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) { return pair(t, url) })
}

func TestConformanceCluster(t *testing.T) {
	url := servers.RedisCluster(t)
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) { return pair(t, url) }, soak.Unless(t, conformance.Brief())...)
}

// Through one handle a cache keeps every promise.
func TestConformanceCached(t *testing.T) {
	url := servers.Redis(t)
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		s := open(t, url, Options{Prefix: newPrefix(), Cache: time.Minute})
		t.Cleanup(func() { wipe(t, s) })
		return s
	}, soak.Unless(t, conformance.Brief())...)
}
