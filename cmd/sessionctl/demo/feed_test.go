package demo

import (
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func TestFeedKeepsTheLatest(t *testing.T) {
	began := time.UnixMilli(1_800_000_000_000)
	f, own, other := newFeed(began), core.ID{1}, core.ID{2}
	for range maxKept + 10 {
		f.hear(hosts.Event{ID: own, Kind: hosts.EventResumed})
	}
	f.hear(hosts.Event{Kind: hosts.EventSwept}) // of no session
	list, next, more := f.since(own, 0)
	require.Len(t, list, maxKept)
	require.Equal(t, next-1, list[maxKept-1].number)
	list, _, _ = f.since(other, 0)
	require.Empty(t, list)

	f.hear(hosts.Event{ID: other, Kind: hosts.EventEnded, Reason: core.ReasonIdle})
	<-more
	list, _, _ = f.since(other, next)
	require.Len(t, list, 1)
	require.True(t, list[0].over)
	require.Equal(t, "idle", list[0].Reason)
	list, _, _ = f.since(own, next)
	require.Empty(t, list)
	require.Greater(t, newFeed(began.Add(time.Second)).next, next, "a server that follows has higher numbers")
}

func TestFeedCountsStreams(t *testing.T) {
	f := newFeed(time.Now())
	var leave []func()
	for i := range maxStreams {
		id := core.ID{byte(i / maxOwnStreams)}
		l, ok := f.join(id)
		require.True(t, ok)
		leave = append(leave, l)
	}
	_, ok := f.join(core.ID{255})
	require.False(t, ok, "all are taken")
	for _, l := range leave {
		l()
	}
	require.Empty(t, f.streams)
	for range maxOwnStreams {
		_, ok = f.join(core.ID{1})
		require.True(t, ok)
	}
	_, ok = f.join(core.ID{1})
	require.False(t, ok, "one session has its share")
}

func TestNaiveStoreIsBounded(t *testing.T) {
	n := naive{counts: map[naiveKey]int64{}}
	for i := range maxNaive + 50 {
		n.save(naiveKey{core.ID{byte(i), byte(i >> 8)}, "run"}, 1)
	}
	require.Len(t, n.counts, maxNaive)
}
