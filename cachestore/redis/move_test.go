package redis

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// move hands a slot from one primary to another, key by key, with a pause in
// which half of the keys are here and half there.
func (f fleet) move(t *testing.T, slot int, from, to *process, halfway func()) {
	text := strconv.Itoa(slot)
	fromID, _ := from.self(t)
	toID, _ := to.self(t)
	to.do(t, "CLUSTER", "SETSLOT", text, "IMPORTING", fromID)
	from.do(t, "CLUSTER", "SETSLOT", text, "MIGRATING", toID)
	total, err := strconv.Atoi(from.do(t, "CLUSTER", "COUNTKEYSINSLOT", text))
	require.NoError(t, err)
	for moved := 0; ; moved++ {
		key := from.do(t, "CLUSTER", "GETKEYSINSLOT", text, "1")
		if key == "" {
			break
		}
		if moved == total/2 {
			halfway()
		}
		from.do(t, "MIGRATE", "127.0.0.1", strconv.Itoa(to.Port), key, "0", "5000")
	}
	to.do(t, "CLUSTER", "SETSLOT", text, "NODE", toID)
	from.do(t, "CLUSTER", "SETSLOT", text, "NODE", toID)
}

// Slots move between nodes under load, there and back: every call succeeds, no
// live session is missing from a search at any time, and the index is whole.
func TestSlotsMove(t *testing.T) {
	f := startFleet(t, patience)
	const shard = 0x3f
	rounds := soak.Rounds(t, 6, 15)
	for _, o := range []Options{{}, {WaitReplicas: 1}} {
		o.Prefix, o.Timeout = newPrefix(), time.Minute // or calls give up before the move is over
		s := open(t, f.url(), o)
		steady := inShard(100)
		for _, r := range steady {
			save(t, s, r, core.NoVersion)
		}
		slot := slotOf(s, shard)
		from := f.owner(t, s, steady[0].ID)
		to := f.owner(t, s, newRecordOn(t, f, s, from).ID)
		searches := search(t, s, idsOf(steady))
		var calls sync.WaitGroup
		work := func() {
			for range 4 {
				calls.Go(func() { useShard(t, s, shard, rounds) })
			}
		}
		for range 2 {
			work()
			f.move(t, slot, from, to, work)
			calls.Wait()
			work()
			calls.Wait()
			from, to = to, from
		}
		require.NoError(t, s.WaitForReplicas(t.Context()), "of each node")
		require.Greater(t, searches(), 10)
		require.Empty(t, audit(t, s))
		wipe(t, s)
	}
}

// newRecordOn is a record that is not on the given node.
func newRecordOn(t *testing.T, f fleet, s *Store, not *process) core.Record {
	for _, r := range oneOfEach() {
		if f.owner(t, s, r.ID) != not {
			return r
		}
	}
	t.Fatal("one node has everything")
	return core.Record{}
}

// useShard begins sessions, touches them, hands them on and ends them.
func useShard(t *testing.T, s *Store, shard byte, n int) {
	for range n {
		r := newRecord()
		r.ID[0] = shard
		if !assert.NoError(t, s.Save(background, r, core.NoVersion)) {
			return
		}
		for _, user := range []string{"ada", "bob", ""} {
			was := r.Version
			r = next(r)
			r.User = user
			assert.NoError(t, s.Save(background, r, was))
			got, err := s.Load(background, r.ID)
			assert.NoError(t, err)
			assert.Equal(t, r, got)
		}
		assert.NoError(t, s.Delete(background, r.ID))
	}
}

// search walks over ada's sessions until the returned function is called, which
// tells how often. The given ones are hers all the time.
func search(t *testing.T, s *Store, steady []core.ID) (end func() int) {
	stop := make(chan struct{})
	walks := 0
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, q := range []hosts.Query{{Tenant: "acme", User: "ada"}, everybody} {
				found, err := s.Find(background, q, core.ID{}, 1000)
				if assert.NoError(t, err) {
					assert.Subset(t, idsOf(found), steady)
				}
			}
			walks++
		}
	})
	return func() int {
		close(stop)
		done.Wait()
		return walks
	}
}
