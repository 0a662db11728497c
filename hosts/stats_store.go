package hosts

import "github.com/rockstar-web/sessions/hosts/feed"

// Queued is implemented by stores whose calls may have to wait, to be gathered into
// few commands or for want of connections.
type Queued interface {
	Queues() Queues
}

// Queues are the calls of a store that wait, by what they do. A kind of call that
// never waits is zero.
type Queues struct{ Loads, Saves, Deletes Queue }

// Queue counts calls of one kind.
type Queue struct {
	Waiting  int    // calls that wait now
	Bytes    int    // sealed bytes of those
	UnderWay int    // calls that the backend is asked now, alone or with others
	Calls    uint64 // that were answered, whatever the answer
	Commands uint64 // by which they were: fewer than Calls where some went together
	Refused  uint64 // calls for which there was no room: ErrBusy
}

// Add adds the figures of another part of a store.
func (q *Queue) Add(o Queue) {
	q.Waiting += o.Waiting
	q.Bytes += o.Bytes
	q.UnderWay += o.UnderWay
	q.Calls += o.Calls
	q.Commands += o.Commands
	q.Refused += o.Refused
}

// Add adds the figures of another part of a store.
func (q *Queues) Add(o Queues) {
	q.Loads.Add(o.Loads)
	q.Saves.Add(o.Saves)
	q.Deletes.Add(o.Deletes)
}

// CacheStats is what a cache before a store has done and holds. A cache has a method
// Stats that returns it, as cachestore.Cached has.
type CacheStats struct {
	Hits     uint64         // reads that were answered from memory, those that were doubted afterwards included
	Doubts   [Doubts]uint64 // reads that asked the store, by their cause
	Sessions int
	Bytes    int64 // held now, the index included
	MaxBytes int64
	Evicted  uint64 // records that made room for others
	Feed     feed.Stats
}

// MemoryStats is what a store in memory holds. Such a store has a method Stats that
// returns it, as cachestore.Store has.
type MemoryStats struct {
	Sessions int   // expired ones included
	Bytes    int64 // held now, indexes and free slots included
	MaxBytes int64 // the bound of Bytes
}

// addStore adds what the stores behind a manager count.
func (s *Stats) addStore(store Store) {
	if q, ok := As[Queued](store); ok {
		queues := q.Queues()
		s.Queues = &queues
	}
	s.Cache, s.Memory = statsOf[CacheStats](store), statsOf[MemoryStats](store)
}

// statsOf asks the first store that counts so; nil: none does.
func statsOf[S any](store Store) *S {
	able, ok := As[interface{ Stats() S }](store)
	if !ok {
		return nil
	}
	stats := able.Stats()
	return &stats
}
