package cachestore

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"
	"reflect"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// Bounds of Options.MaxBytes, in bytes.
const (
	DefaultMaxBytes = 256 << 20
	LeastMaxBytes   = 4 << 20 // room for the largest record that a store must accept
	LargestMaxBytes = 64 << 30
)

const (
	bytesPerShard = 4 << 20 // of the bound: half-filled slabs, one for each size class, stay a small part of it
	maxShards     = 1024    // a search by user asks each of them
)

// Options configure a Store. The zero value is the default.
type Options struct {
	// MaxBytes bounds the memory that the store holds, its indexes included:
	// LeastMaxBytes to LargestMaxBytes, zero for DefaultMaxBytes. Where there
	// is no room Save fails with hosts.ErrFull and changes nothing.
	//
	// New sessions take at most 15/16 of it, so that those that are there can
	// be changed; without a user 13/16, and 14/16 with their changes, so that
	// a flood of visitors cannot stop logins.
	MaxBytes int64

	// MaxUserBytes is how much one user of a tenant may have, for which the
	// bytes of their records count: 1 to MaxBytes, zero for a quarter of it.
	// Changes of their sessions may take MaxBytes/16 more. Beyond that only their
	// saves fail, with hosts.ErrFull. One session alone may be of any size.
	MaxUserBytes int64
}

// Store implements hosts.Store, hosts.Sweeper and hosts.Finder. It is safe for
// concurrent use.
type Store struct {
	budget budget
	shift  int // of an ID's first 64 bits, leaves the number of its shard
	shards []shard

	changes feed.Log
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Sweeper = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
	_ feed.Source   = (*Store)(nil)
)

// Open returns an empty store, or an error that names the option at fault.
func Open(o Options) (*Store, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxBytes < LeastMaxBytes || o.MaxBytes > LargestMaxBytes {
		return nil, fmt.Errorf("cachestore: Options.MaxBytes is %d: allowed are %d to %d bytes, or 0 for %d",
			o.MaxBytes, LeastMaxBytes, int64(LargestMaxBytes), DefaultMaxBytes)
	}
	if o.MaxUserBytes == 0 {
		o.MaxUserBytes = o.MaxBytes / parts * defaultUser
	}
	if o.MaxUserBytes < 1 || o.MaxUserBytes > o.MaxBytes {
		return nil, fmt.Errorf("cachestore: Options.MaxUserBytes is %d: allowed are 1 to MaxBytes, %d, or 0 for a quarter of it",
			o.MaxUserBytes, o.MaxBytes)
	}
	log := min(bits.Len64(uint64(o.MaxBytes/bytesPerShard))-1, bits.Len(maxShards)-1)
	s := &Store{shift: 64 - log, shards: make([]shard, 1<<log)}
	seed := maphash.MakeSeed()
	s.budget.max, s.budget.maxUser, s.budget.users.seed = o.MaxBytes, o.MaxUserBytes, seed
	s.budget.held.Store(s.fixed())
	for i := range s.shards {
		sh := &s.shards[i]
		sh.budget, sh.seed = &s.budget, seed
	}
	return s, nil
}

// fixed is what the store holds before the first session.
func (s *Store) fixed() int64 {
	return int64(reflect.TypeFor[Store]().Size()) + int64(len(s.shards))*int64(reflect.TypeFor[shard]().Size())
}

// Close forgets all sessions. Every later call fails with hosts.ErrClosed, but
// for Close and Stats.
func (s *Store) Close() error {
	for i := range s.shards {
		s.shards[i].close()
	}
	s.budget.held.Store(s.fixed()) // no shard takes any more
	s.budget.users.reset()
	return nil
}

// Stats counts. It is safe for concurrent use and sees each session once.
func (s *Store) Stats() hosts.MemoryStats {
	st := hosts.MemoryStats{Bytes: s.budget.held.Load(), MaxBytes: s.budget.max}
	for i := range s.shards {
		st.Sessions += s.shards[i].len()
	}
	return st
}

// number is that of an ID's shard: its leading bits, so that shards follow each
// other in the order of their IDs.
func (s *Store) number(id core.ID) int {
	return int(binary.BigEndian.Uint64(id[:]) >> s.shift)
}

func (s *Store) shardOf(id core.ID) *shard { return &s.shards[s.number(id)] }
