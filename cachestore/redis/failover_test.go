package redis

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// Delete succeeds when a replica has it, and says so when none has.
func TestWaitForReplicas(t *testing.T) {
	primary := start(t)
	replica := startReplica(t, primary)
	s := open(t, primary.url(), Options{WaitReplicas: 1, WaitTimeout: 200 * time.Millisecond})
	r := save(t, s, newRecord(), core.NoVersion)
	require.NoError(t, s.Delete(t.Context(), r.ID))
	require.Equal(t, "0", replica.do(t, "EXISTS", s.server.shard(r.ID).record(r.ID)))
	require.NoError(t, s.Delete(t.Context(), r.ID), "again")

	primary.do(t, "SCRIPT", "FLUSH")
	require.NoError(t, s.Delete(t.Context(), save(t, s, newRecord(), core.NoVersion).ID))

	thaw := replica.Freeze(t)
	r = save(t, s, newRecord(), core.NoVersion)
	err := s.Delete(t.Context(), r.ID)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "0 of 1 replicas")
	require.ErrorContains(t, err, "the primary has done it")
	requireGone(t, s, r.ID)
	require.Error(t, s.Delete(t.Context(), r.ID), "nobody has it yet")
	m, err := hosts.New(s, hosts.Config{Key: core.NewSecret("\x91\x0e\xc7redis tests, not a secret ...")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	_, err = m.Revoke(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true})
	require.ErrorContains(t, err, "wait for replicas", "that it finds none does not say that the replica has it")
	thaw()
	eventually(t, "a revocation that finds none knows that the replica has it", func() bool {
		_, err := m.Revoke(background, hosts.Query{AnyTenant: true, AnyUser: true})
		return err == nil
	})
	require.Equal(t, "0", replica.do(t, "EXISTS", s.server.shard(r.ID).record(r.ID)))
	eventually(t, "the replica catches up", func() bool { return s.Delete(background, r.ID) == nil })

	cached := open(t, primary.url(), Options{WaitReplicas: 1, Cache: time.Minute})
	r = save(t, cached, newRecord(), core.NoVersion)
	requireHolds(t, cached, r)
	require.NoError(t, cached.Delete(t.Context(), r.ID))
	requireGone(t, cached, r.ID)
}

// traffic is sessions that begin and end.
type traffic struct {
	s            *Store
	mu           sync.Mutex
	ended        []core.ID // with an acknowledgement
	saved        atomic.Int64
	stop         atomic.Bool
	calls        sync.WaitGroup
	unanswerable func(error) bool
}

// begin has callers save and end sessions until stop, through all failures that
// the test expects.
func (x *traffic) begin(t *testing.T, callers int) {
	t.Cleanup(x.end)
	for range callers {
		x.calls.Go(func() {
			for !x.stop.Load() {
				r := newRecord()
				if err := x.s.Save(background, r, core.NoVersion); err != nil {
					assert.True(t, x.unanswerable(err), "%v", err)
					continue
				}
				x.saved.Add(1)
				if err := x.s.Delete(background, r.ID); err != nil {
					assert.True(t, x.unanswerable(err), "%v", err)
					continue
				}
				x.mu.Lock()
				x.ended = append(x.ended, r.ID)
				x.mu.Unlock()
			}
		})
	}
}

func (x *traffic) end() {
	x.stop.Store(true)
	x.calls.Wait()
}

func unavailable(err error) bool { return errors.Is(err, hosts.ErrUnavailable) }

// works saves, finds and ends one session in every shard. A primary whose
// replica has taken over has none that could acknowledge.
func works(s *Store) bool {
	all := oneOfEach()
	var saves []hosts.Saving
	for _, r := range all {
		saves = append(saves, hosts.Saving{Record: r})
	}
	for _, err := range s.SaveMany(background, saves) {
		if err != nil {
			return false
		}
	}
	for _, r := range all {
		if _, err := s.Load(background, r.ID); err != nil {
			return false
		}
		if err := s.Delete(background, r.ID); err != nil && !strings.Contains(err.Error(), "the primary has done it") {
			return false
		}
	}
	return true
}

// A primary is killed under load. What ended with a replica's word stays ended,
// the index stays whole, and the store goes on with the replica.
func TestFailover(t *testing.T) {
	f := startFleet(t, time.Second)
	s := open(t, f.url(), Options{WaitReplicas: 1, WaitTimeout: 100 * time.Millisecond, Timeout: 2 * time.Second})
	require.Len(t, s.server.parts, 3)
	steady := oneOfEach()
	for _, r := range steady {
		save(t, s, r, core.NoVersion)
	}
	x := &traffic{s: s, unanswerable: unavailable}
	x.begin(t, soak.Rounds(t, 4, 16))
	eventually(t, "sessions begin and end", func() bool { return x.saved.Load() > 500 })
	f.owner(t, s, steady[0].ID).Kill()
	// The nodes find out, elect, and the client learns of it.
	eventually(t, "the store goes on", func() bool { return works(s) })
	x.end()
	require.Greater(t, len(x.ended), 500)
	for i, l := range s.LoadMany(t.Context(), x.ended) {
		require.ErrorIs(t, l.Err, core.ErrNotFound, "%v was ended and is there again", x.ended[i])
	}
	audit(t, s)
	found, err := s.Find(t.Context(), everybody, core.ID{}, 1_000_000)
	require.NoError(t, err)
	live := map[core.ID]bool{}
	for _, r := range found {
		live[r.ID] = true
	}
	for _, r := range steady[1:] { // saved long before, so on the replica too
		require.True(t, live[r.ID], "%v is live and is not found", r.ID)
	}
}

// A node that hangs holds up the calls to its own sessions only.
func TestHungNode(t *testing.T) {
	f := startFleet(t, 2*patience) // a failover would be another test
	s := open(t, f.url(), Options{Timeout: patience})
	all := oneOfEach()
	for _, r := range all {
		save(t, s, r, core.NoVersion)
	}
	hung := f.owner(t, s, all[0].ID)
	_, slots := hung.self(t)
	on := func(r core.Record) bool {
		slot := slotOf(s, int(r.ID[0]))
		return slot >= slots[0][0] && slot <= slots[0][1]
	}
	// Users with their hints on the node that hangs, and elsewhere.
	var late, timely []string
	for i := range 64 {
		user := fmt.Sprint("user-", i)
		if on(core.Record{ID: core.ID{ownerOf("acme", user)[0]}}) {
			late = append(late, user)
		} else {
			timely = append(timely, user)
		}
	}
	login := func(r core.Record, user string) error {
		fresh := newOf(user)
		fresh.ID[0] = r.ID[0]
		return s.Save(background, fresh, core.NoVersion)
	}
	thaw := hung.Freeze(t)
	var waiting sync.WaitGroup
	for range 10 {
		for _, r := range all {
			if on(r) {
				waiting.Go(func() {
					_, err := s.Load(background, r.ID)
					assert.False(t, errors.Is(err, core.ErrNotFound), "a node that hangs has not ended the session")
				})
				waiting.Go(func() { _ = s.Save(background, next(r), newRecord().Version) })
				waiting.Go(func() { _ = s.Delete(background, newRecord().ID) })
			} else {
				waiting.Go(func() {
					assert.NoError(t, login(r, late[int(r.ID[0])%len(late)]), "a session is saved without its announcement")
				})
			}
		}
	}
	began := time.Now()
	var others sync.WaitGroup
	for range 5 {
		for _, r := range all {
			if !on(r) {
				others.Go(func() {
					got, err := s.Load(background, r.ID)
					assert.NoError(t, err)
					assert.Equal(t, r, got)
					assert.ErrorIs(t, s.Save(background, next(r), newRecord().Version), core.ErrConflict)
					assert.NoError(t, login(r, timely[int(r.ID[0])%len(timely)]))
				})
			}
		}
	}
	others.Wait()
	require.Less(t, time.Since(began), patience/2, "calls to other nodes have waited for the one that hangs")
	thaw()
	waiting.Wait()
	eventually(t, "the store goes on", func() bool { return works(s) })
}

func TestSentinel(t *testing.T) {
	primary := start(t)
	replica := startReplica(t, primary)
	sentinel := startSentinel(t, primary)
	eventually(t, "the sentinel knows the replica", func() bool {
		return sentinel.Shows(t, "slaves=1", "INFO", "sentinel")
	})
	s := open(t, "redis+sentinel://"+sentinel.Address()+"/main", Options{WaitReplicas: 1, Timeout: 2 * time.Second})
	work(t, s)
	x := &traffic{s: s, unanswerable: unavailable}
	x.begin(t, soak.Rounds(t, 3, 8))
	eventually(t, "sessions begin and end", func() bool { return x.saved.Load() > 200 })
	steady := save(t, s, newRecord(), core.NoVersion)
	eventually(t, "the replica has it", func() bool {
		return replica.Shows(t, "1", "EXISTS", s.server.shard(steady.ID).record(steady.ID))
	})
	primary.Kill()
	eventually(t, "the replica takes over", func() bool {
		return replica.Shows(t, "role:master", "INFO", "replication")
	})
	eventually(t, "the store goes on", func() bool {
		r := newRecord()
		return s.Save(background, r, core.NoVersion) == nil
	})
	x.end()
	requireHolds(t, s, steady)
	for i, l := range s.LoadMany(t.Context(), x.ended) {
		require.ErrorIs(t, l.Err, core.ErrNotFound, "%v was ended and is there again", x.ended[i])
	}
	audit(t, s)
	err := s.Delete(t.Context(), steady.ID)
	require.ErrorContains(t, err, "0 of 1 replicas", "none is left")
}
