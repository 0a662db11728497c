package cachestore

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

const (
	steadySessions = 200 // always there, changed all the time
	fickleSessions = 40  // change their user all the time
	writers        = 8
)

// bump counts in SeenAt, moves the expiry and changes the size, so that the
// record wanders between slots. It returns false when somebody was quicker.
func bump(t *testing.T, st *Store, n, round int) bool {
	r, err := st.Load(ctx, idOf(n))
	if !assert.NoError(t, err) {
		return true
	}
	prev := r.Version
	r.Version = core.Version(1 + round*writers*1000 + int(prev)%999_983)
	r.SeenAt++
	r.ExpiresAt = core.Day + core.Time(round)
	r.Sealed = bytes.Repeat([]byte{byte(round)}, round*37%900)
	err = st.Save(ctx, r, prev)
	if err != nil {
		assert.ErrorIs(t, err, core.ErrConflict)
	}
	return err == nil
}

// walk pages through q and returns the IDs, checking their order.
func walk(t *testing.T, st *Store, q hosts.Query) map[core.ID]bool {
	seen, after := map[core.ID]bool{}, core.ID{}
	for {
		page, err := st.Find(ctx, q, after, 23)
		if !assert.NoError(t, err) {
			return seen
		}
		for _, r := range page {
			assert.Negative(t, bytes.Compare(after[:], r.ID[:]))
			assert.True(t, q.Matches(&r))
			after = r.ID
			seen[r.ID] = true
		}
		if len(page) < 23 {
			return seen
		}
	}
}

// Writers change the same sessions, visitors come and go, a sweeper sweeps and
// searches walk, all at once: no change is lost, no search misses a session
// that is there, and what was swept or ended stays away.
func TestRace(t *testing.T) {
	rounds := soak.Rounds(t, 100, 300) // of each writer
	st := open(t, modelBytes)
	for n := range steadySessions {
		r := recordOf(n)
		r.SeenAt, r.User, r.Tenant = 0, fmt.Sprintf("user-%d", n%5), "acme"
		require.NoError(t, st.Save(ctx, r, core.NoVersion))
	}
	var group, background sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		group.Go(func() {
			for round := range rounds {
				for !bump(t, st, (round*7+w)%steadySessions, round*writers+w) {
				}
			}
		})
		group.Go(func() {
			for round := range rounds {
				comeAndGo(t, st, steadySessions+w*100+round%100, core.Version(1+round))
			}
		})
	}
	repeat := func(do func()) {
		background.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					do()
				}
			}
		})
	}
	repeat(func() {
		_, err := st.Sweep(ctx, core.Hour, 50)
		assert.NoError(t, err)
	})
	repeat(func() {
		requireSteady(t, 1, walk(t, st, hosts.Query{Tenant: "acme", AnyUser: true}))
	})
	repeat(func() {
		requireSteady(t, 5, walk(t, st, hosts.Query{AnyTenant: true, User: "user-0"}))
	})
	repeat(func() {
		for n := range fickleSessions {
			turn(t, st, 1_000_000+n)
		}
	})
	group.Wait()
	close(stop)
	background.Wait()

	var changes core.Time
	for n := range steadySessions {
		r, err := st.Load(ctx, idOf(n))
		require.NoError(t, err)
		changes += r.SeenAt
	}
	require.EqualValues(t, writers*rounds, changes)
	audit(t, st)
}

// requireSteady checks that each every-th steady session was seen.
func requireSteady(t *testing.T, every int, seen map[core.ID]bool) {
	for n := 0; n < steadySessions; n += every {
		assert.True(t, seen[idOf(n)], "session %d is missing", n)
	}
}

// turn gives a session to user-0 if it has no user, else to nobody.
func turn(t *testing.T, st *Store, n int) {
	r, err := st.Load(ctx, idOf(n))
	if err != nil {
		assert.ErrorIs(t, err, core.ErrNotFound)
		r = recordOf(n)
		r.Version = core.NoVersion
	}
	prev := r.Version
	r.Version++
	if r.User != "" {
		r.User = ""
	} else {
		r.User = "user-0"
	}
	assert.NoError(t, st.Save(ctx, r, prev))
}

// comeAndGo saves a session that the sweeper may take, changes it and ends it.
// A change after the end must fail: an ended session never lives again.
func comeAndGo(t *testing.T, st *Store, n int, v core.Version) {
	r := recordOf(n)
	r.Version, r.ExpiresAt = v, core.Time(int(v)%2)*2*core.Hour
	err := st.Save(ctx, r, core.NoVersion)
	assert.NoError(t, err)
	r.Version += 1 << 30
	r.Sealed = append(r.Sealed, r.Sealed...)
	if err = st.Save(ctx, r, v); err != nil {
		assert.True(t, errors.Is(err, core.ErrConflict) && r.ExpiresAt == 0, err)
	}
	assert.NoError(t, st.Delete(ctx, r.ID))
	r.Version++
	assert.ErrorIs(t, st.Save(ctx, r, r.Version-1), core.ErrConflict)
	_, err = st.Load(ctx, r.ID)
	assert.ErrorIs(t, err, core.ErrNotFound)
}
