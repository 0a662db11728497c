package feed_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

func numbered(n int) core.ID {
	var id core.ID
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return id
}

func TestLog(t *testing.T) {
	var log feed.Log
	log.Deleted(numbered(1)) // nobody follows
	one, err := log.Follow(t.Context())
	require.NoError(t, err)
	log.Saved(numbered(2), 5, core.NoVersion) // a new session is no change
	log.Saved(numbered(2), 6, 5)
	two, err := log.Follow(t.Context())
	require.NoError(t, err)
	log.Deleted(numbered(2))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = one.Changes(ended)
	require.ErrorIs(t, err, context.Canceled)
	_, err = log.Follow(ended)
	require.ErrorIs(t, err, context.Canceled)

	want := []feed.Change{{ID: numbered(2), Version: 6, Prev: 5}, {ID: numbered(2)}}
	got, err := one.Changes(t.Context())
	require.NoError(t, err)
	require.Equal(t, feed.Changes{Entries: want}, got)
	got, err = two.Changes(t.Context())
	require.NoError(t, err)
	require.Equal(t, feed.Changes{Entries: want[1:]}, got)
	got, err = one.Changes(t.Context())
	require.NoError(t, err)
	require.Empty(t, got)

	require.NoError(t, one.Close())
	require.NoError(t, one.Close())
	_, err = one.Changes(t.Context())
	require.ErrorContains(t, err, "closed")
	log.Deleted(numbered(3))
	got, err = two.Changes(t.Context())
	require.NoError(t, err)
	require.Len(t, got.Entries, 1)
	require.NoError(t, two.Close())
	_, err = two.Changes(t.Context()) // the last one: the log has forgotten everything
	require.ErrorContains(t, err, "closed")
}

// TestLogFallsBehind: exactly what a log keeps is reported, one more is a gap.
func TestLogFallsBehind(t *testing.T) {
	var log feed.Log
	f, err := log.Follow(t.Context())
	require.NoError(t, err)
	for _, more := range []int{0, 1, feed.MaxChanges} {
		for n := range feed.MaxChanges + more {
			log.Saved(numbered(n), 2, 1)
		}
		got, err := f.Changes(t.Context())
		require.NoError(t, err)
		if more > 0 {
			require.Error(t, got.Gap)
			continue
		}
		require.NoError(t, got.Gap)
		require.Len(t, got.Entries, feed.MaxChanges)
	}
}

func TestLogUnderRace(t *testing.T) {
	var log feed.Log
	var writers, followers sync.WaitGroup
	const each = 500
	done := make(chan struct{})
	for range 4 {
		f, err := log.Follow(t.Context())
		require.NoError(t, err)
		followers.Go(func() {
			seen := 0
			for last := false; !last; {
				select {
				case <-done:
					last = true
				default:
				}
				got, err := f.Changes(context.Background())
				if err != nil || got.Gap != nil {
					t.Error(err, got.Gap)
					return
				}
				seen += len(got.Entries)
			}
			if seen != 8*each {
				t.Errorf("%d of %d changes", seen, 8*each)
			}
			_ = f.Close() // it has no error
		})
	}
	for w := range 8 {
		writers.Go(func() {
			for range each {
				log.Deleted(numbered(w))
			}
		})
	}
	writers.Wait()
	close(done)
	followers.Wait()
}
