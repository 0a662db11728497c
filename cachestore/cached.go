package cachestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// Bounds of CachedOptions.MaxBytes, in bytes.
const (
	DefaultCachedBytes = 64 << 20
	LeastCachedBytes   = 1 << 20
)

const (
	bytesPerRing = 1 << 20 // of the bound, or more
	maxRings     = 64
)

// CachedOptions configure a Cached. The zero value is the default.
type CachedOptions struct {
	// MaxBytes bounds the memory of the cached records, their index included:
	// LeastCachedBytes to LargestMaxBytes, zero for DefaultCachedBytes. Beyond it
	// the records that were not used for long make room.
	MaxBytes int64
	// Clock is for tests.
	Clock feed.Clock
}

// Cached keeps the records of another store in this process's memory, so that a
// manager answers reads without a call of that store; logouts hold all the same.
// Its Load, Save, Delete and what else the store can do ask the store, always.
// Recall alone answers from memory, and only while the store's feed has proven
// that every change of more than feed.Lease ago is known. It is safe for
// concurrent use.
//
// Every process that ends sessions of this store waits for feed.Wait when it logs
// somebody out: the store has a mark that caches are in use.
type Cached struct {
	store  hosts.Store
	poller *feed.Poller
	shift  int
	rings  []ring
	doubts [hosts.Doubts]atomic.Uint64
}

var (
	_ hosts.Store        = (*Cached)(nil)
	_ hosts.Wrapped      = (*Cached)(nil)
	_ hosts.Recaller     = (*Cached)(nil)
	_ hosts.Batcher      = (*Cached)(nil)
	_ hosts.BatchDeleter = (*Cached)(nil)
)

// NewCached returns a cache before a store that has a feed. It refuses others with
// feed.ErrUnsupported, and what it says is the remedy. It asks the store nothing
// before the first read. Close it before the store.
func NewCached(store hosts.Store, o CachedOptions) (*Cached, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultCachedBytes
	}
	if o.MaxBytes < LeastCachedBytes || o.MaxBytes > LargestMaxBytes {
		return nil, fmt.Errorf("cachestore: CachedOptions.MaxBytes is %d: allowed are %d to %d bytes, or 0 for %d",
			o.MaxBytes, LeastCachedBytes, int64(LargestMaxBytes), DefaultCachedBytes)
	}
	source, ok := hosts.As[feed.Caching](store)
	if !ok {
		return nil, fmt.Errorf("cachestore: a cache before a %T: %w that a cache can follow; use PostgreSQL, MySQL, MariaDB, SQLite, or Redis with one server or sentinels, or leave the cache out", store, feed.ErrUnsupported)
	}
	if able, ok := source.(interface{ CanCache() error }); ok {
		if err := able.CanCache(); err != nil {
			return nil, fmt.Errorf("cachestore: %w", err)
		}
	}
	log := max(min(bits.Len64(uint64(o.MaxBytes/bytesPerRing))-1, bits.Len(maxRings)-1), 0)
	c := &Cached{store: store, shift: 64 - log, rings: make([]ring, 1<<log)}
	for i := range c.rings {
		c.rings[i].open(o.MaxBytes >> log)
	}
	c.poller = feed.NewPoller(source, feed.Options{Clock: o.Clock, Caching: true})
	c.poller.Listen(c)
	return c, nil
}

// ForConfig returns the store for a manager of a config: with a cache before it, which
// the manager then owns, if Config.Cache says so.
func ForConfig(store hosts.Store, c *hosts.Config) (hosts.Store, error) {
	if _, cached := hosts.As[hosts.Recaller](store); store == nil || c.Cache == 0 || cached {
		return store, nil
	}
	cache, err := NewCached(store, CachedOptions{MaxBytes: c.Cache})
	if err != nil {
		return nil, fmt.Errorf("session config: Cache: %w", err)
	}
	c.Owned = cache
	return cache, nil
}

// Close stops following the store and forgets what is cached. The store is the
// caller's to close, afterwards.
func (c *Cached) Close() error {
	c.poller.Close()
	c.Missed(errors.New("closed"))
	return nil
}

// Unwrap implements hosts.Wrapped: Find and Sweep ask the store.
func (c *Cached) Unwrap() hosts.Store { return c.store }

// Poller follows the store. It is the cache's to close.
func (c *Cached) Poller() *feed.Poller { return c.poller }

func (c *Cached) ring(id core.ID) *ring {
	return &c.rings[binary.BigEndian.Uint64(id[:])>>c.shift&uint64(len(c.rings)-1)]
}

// Changed implements feed.Listener.
func (c *Cached) Changed(changes []feed.Change) {
	for i := range changes {
		c.ring(changes[i].ID).changed(&changes[i])
	}
}

// Missed implements feed.Listener.
func (c *Cached) Missed(error) {
	for i := range c.rings {
		c.rings[i].forget()
	}
}

// Recall implements hosts.Recaller.
func (c *Cached) Recall(id core.ID) (core.Record, bool) {
	if !c.poller.Fresh() { // first, and then the record
		c.Doubt(hosts.DoubtFeed)
		return core.Record{}, false
	}
	b := c.ring(id).recall(id)
	if b == nil {
		c.Doubt(hosts.DoubtCold)
		return core.Record{}, false
	}
	r, err := core.ReadRecord(b)
	return r, err == nil
}

// Doubt implements hosts.Recaller.
func (c *Cached) Doubt(why hosts.Doubt) {
	if why >= 0 && why < hosts.Doubts {
		c.doubts[why].Add(1)
	}
}

// Stats counts. It is safe for concurrent use.
func (c *Cached) Stats() hosts.CacheStats {
	s := hosts.CacheStats{Feed: c.poller.Stats()}
	for i := range c.rings {
		c.rings[i].count(&s)
	}
	for i := range c.doubts {
		s.Doubts[i] = c.doubts[i].Load()
	}
	return s
}
