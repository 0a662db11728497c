package cachestore

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// pointerMap is the usual session store: a sharded map of pointers.
type pointerMap [256]struct {
	mu sync.RWMutex
	m  map[core.ID]*core.Record
}

func (p *pointerMap) load(id core.ID) (core.Record, error) {
	sh := &p[xxhash.Sum64(id[:])>>56]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	r, ok := sh.m[id]
	if !ok {
		return core.Record{}, core.ErrNotFound
	}
	return *r, nil
}

func (p *pointerMap) save(r core.Record, prev core.Version) error {
	sh := &p[xxhash.Sum64(r.ID[:])>>56]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if old := sh.m[r.ID]; old != nil && old.Version != prev {
		return core.ErrConflict
	}
	r.Sealed = bytes.Clone(r.Sealed)
	sh.m[r.ID] = &r
	return nil
}

func (p *pointerMap) remove(id core.ID) {
	sh := &p[xxhash.Sum64(id[:])>>56]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.m, id)
}

// caller is one of the two stores that are compared.
type caller struct {
	name   string
	load   func(core.ID) (core.Record, error)
	save   func(core.Record, core.Version) error
	remove func(core.ID)
}

const benchSessions = 100_000

func filledStore(b *testing.B) *Store {
	st := open(b, DefaultMaxBytes)
	for n := range benchSessions {
		require.NoError(b, st.Save(ctx, recordOf(n), core.NoVersion))
	}
	return st
}

// BenchmarkCalls compares the calls of a request with those of a sharded map of
// pointers, in one goroutine and in many, over 100 000 sessions. The map's load
// copies nothing, which the contract allows it.
func BenchmarkCalls(b *testing.B) {
	st, pm := filledStore(b), &pointerMap{}
	for i := range pm {
		pm[i].m = map[core.ID]*core.Record{}
	}
	for n := range benchSessions {
		require.NoError(b, pm.save(recordOf(n), core.NoVersion))
	}
	for _, c := range []caller{
		{"store", func(id core.ID) (core.Record, error) { return st.Load(ctx, id) },
			func(r core.Record, prev core.Version) error { return st.Save(ctx, r, prev) },
			func(id core.ID) { _ = st.Delete(ctx, id) }},
		{"map", pm.load, pm.save, pm.remove},
	} {
		load := func(int) error {
			_, err := c.load(idOf(rand.IntN(benchSessions)))
			return err
		}
		touch := func(int) error {
			r, err := c.load(idOf(rand.IntN(benchSessions)))
			if err != nil {
				return err
			}
			prev := r.Version
			r.Version, r.ExpiresAt = prev+1, r.ExpiresAt+core.Minute
			_ = c.save(r, prev) // a conflict with another goroutine is an answer too
			return nil
		}
		churn := func(n int) error {
			c.remove(idOf(n))
			return c.save(recordOf(benchSessions+n), core.NoVersion)
		}
		b.Run("Load/"+c.name, alone(load))
		b.Run("LoadParallel/"+c.name, together(load))
		b.Run("Touch/"+c.name, alone(touch))
		b.Run("TouchParallel/"+c.name, together(touch))
		b.Run("Churn/"+c.name, alone(churn))
	}
}

func alone(do func(n int) error) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			if err := do(n); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func together(do func(n int) error) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for n := 0; pb.Next(); n++ {
				if err := do(n); err != nil {
					b.Error(err)
				}
			}
		})
	}
}

// BenchmarkFind searches 100 000 sessions: for one user, and a page of all.
func BenchmarkFind(b *testing.B) {
	st := filledStore(b)
	for name, q := range map[string]hosts.Query{
		"user": {User: "user-0000777"},
		"page": {AnyTenant: true, AnyUser: true},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				found, err := st.Find(ctx, q, core.ID{}, 100)
				if err != nil || len(found) == 0 {
					b.Fatal(len(found), err)
				}
			}
		})
	}
}

// BenchmarkSweepIdle is a sweep that finds nothing in 100 000 sessions.
func BenchmarkSweepIdle(b *testing.B) {
	st := filledStore(b)
	for b.Loop() {
		if n, err := st.Sweep(ctx, core.Day, benchSessions); n != 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}
