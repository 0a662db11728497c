package core

import (
	"encoding/base64"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func cookieText(raw []byte) string {
	return DefaultCookieName + "=" + base64.RawURLEncoding.EncodeToString(raw)
}

// TestCacheIsBounded: when it is full the oldest epoch makes room, and a
// message older than all in it opens without being kept.
func TestCacheIsBounded(t *testing.T) {
	m := testMachine(t, Policy{})
	first := cookieOf(t, m, Ticket{ID: ID{1}}, testNow)
	for hour := range Time(MaxCachedAEADs + 50) {
		cookieOf(t, m, Ticket{ID: ID{1}}, testNow+hour*Hour)
		require.LessOrEqual(t, cached(m), MaxCachedAEADs)
	}
	require.Equal(t, MaxCachedAEADs, cached(m))
	oldest := ^uint32(0)
	for name := range *m.ring.ready.Load() {
		oldest = min(oldest, name.epoch)
	}
	require.Equal(t, epochOf(testNow)+50, oldest)
	before := m.ring.ready.Load()
	_, err := m.Identify([]string{first}, "", testNow+MaxCachedAEADs*Hour)
	require.NoError(t, err)
	require.Same(t, before, m.ring.ready.Load())
}

func TestCacheIsShared(t *testing.T) {
	const hours = 40
	sealer := testMachine(t, Policy{})
	var cookies [hours]string
	for h := range cookies {
		cookies[h] = cookieOf(t, sealer, Ticket{ID: ID{byte(h + 1)}}, testNow+Time(h)*Hour)
	}
	m := testMachine(t, Policy{})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range cookies {
				h := (i*7 + worker*5) % hours
				tickets, err := m.Identify([]string{cookies[h]}, "", testNow+hours*Hour)
				if err != nil || tickets[0].ID != (ID{byte(h + 1)}) {
					t.Errorf("hour %d: %v", h, err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, hours, cached(m))
}
