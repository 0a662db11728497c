package cachestore

import (
	"encoding/binary"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// ring is a part of a cache with its own lock. Records lie one after the other in
// one buffer without pointers; the oldest makes room, unless it was used since it
// came to its place: then it goes to the head once more (the CLOCK of Corbató,
// 1968). Places that were given up are freed when the tail reaches them.
type ring struct {
	mu      sync.Mutex
	most    int // length that the buffer may have
	buf     []byte
	head    int // where the next entry goes
	tail    int // the oldest entry
	edge    int // where the entries before a wrap end
	wrapped bool
	index   table
	budget  budget // of the index
	scratch []byte

	flying map[core.ID]flying
	lost   uint64

	hits, evicted uint64
}

const (
	entryAlign   = 8
	firstBuffer  = 16 << 10 // bytes, and the least step by which a buffer grows
	growPart     = 16       // a buffer grows by one part in so many, for what lies idle counts as used
	indexPart    = 8        // of the bound is for the index: one part in so many
	largestPart  = 4        // one record takes at most one part in so many of a ring
	maxReinserts = 8        // of used entries, for one new entry
	keepScratch  = 4 << 10  // bytes
)

func (r *ring) open(max int64) {
	r.most = int(max-max/indexPart) &^ (entryAlign - 1)
	r.budget.max = max / indexPart
	r.flying = map[core.ID]flying{}
}

// cachedEntry is one entry in the buffer: a header, then the record as bytes.
type cachedEntry []byte

// Offsets in the header.
const (
	offSize   = 0 // of the entry, a multiple of entryAlign
	offLength = 4 // of the record's bytes, with the flags
	offPrev   = 8 // the version that it replaced, if this process has saved it
	entryHead = 16

	offCachedID      = entryHead + 1 // as core.AppendRecord lays it out
	offCachedVersion = entryHead + 17
)

// Flags beside the length.
const (
	flagLive = 1 << 31
	flagUsed = 1 << 30
	flagMask = flagLive | flagUsed
)

func (e cachedEntry) size() int      { return int(binary.LittleEndian.Uint32(e[offSize:])) }
func (e cachedEntry) length() uint32 { return binary.LittleEndian.Uint32(e[offLength:]) }
func (e cachedEntry) setLength(n uint32) {
	binary.LittleEndian.PutUint32(e[offLength:], n)
}
func (e cachedEntry) prev() core.Version {
	return core.Version(binary.LittleEndian.Uint64(e[offPrev:]))
}
func (e cachedEntry) id() core.ID { return core.ID(e[offCachedID : offCachedID+16]) }
func (e cachedEntry) version() core.Version {
	return core.Version(binary.BigEndian.Uint64(e[offCachedVersion:]))
}
func (e cachedEntry) record() []byte { return e[entryHead:][:e.length()&^flagMask] }

// entry returns the entry that a ref of the index names.
func (r *ring) entry(at ref) cachedEntry { return r.at(int(at-1) * entryAlign) }

func (r *ring) at(offset int) cachedEntry {
	size := cachedEntry(r.buf[offset:]).size()
	return r.buf[offset : offset+size : offset+size]
}

func refAt(offset int) ref { return ref(offset/entryAlign + 1) }

func (r *ring) find(id core.ID) ref {
	return r.index.find(hashID(id), func(at ref) bool { return r.entry(at).id() == id })
}

// recall returns a copy of the record's bytes, or nil.
func (r *ring) recall(id core.ID) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.find(id)
	if at == 0 {
		return nil
	}
	e := r.entry(at)
	e.setLength(e.length() | flagUsed)
	r.hits++
	return append([]byte(nil), e.record()...)
}

func (r *ring) remove(id core.ID) {
	if at := r.find(id); at != 0 {
		e := r.entry(at)
		e.setLength(e.length() &^ flagLive)
		r.index.remove(hashID(id), at)
	}
}

// put keeps a record in place of an earlier one, unless it is too large or no record.
func (r *ring) put(rec *core.Record, prev core.Version) {
	r.remove(rec.ID)
	b, err := core.AppendRecord(r.scratch[:0], rec)
	if cap(b) <= keepScratch {
		r.scratch = b
	}
	size := (entryHead + len(b) + entryAlign - 1) &^ (entryAlign - 1)
	if err != nil || size > r.most/largestPart {
		return
	}
	for !r.index.room(&r.budget, r.budget.max) {
		if r.index.used == 0 {
			return
		}
		r.evict()
	}
	offset := r.alloc(size)
	e := cachedEntry(r.buf[offset : offset+size])
	binary.LittleEndian.PutUint32(e[offSize:], uint32(size))
	e.setLength(uint32(len(b)) | flagLive)
	binary.LittleEndian.PutUint64(e[offPrev:], uint64(prev))
	copy(e[entryHead:], b)
	r.index.add(hashID(rec.ID), refAt(offset))
}

// alloc returns the place of a new entry. Entries that were used get another turn.
func (r *ring) alloc(size int) int {
	for reinserts := 0; ; {
		if offset, ok := r.place(size); ok {
			return offset
		}
		if !r.wrapped && len(r.buf) < r.most {
			r.grow(size)
			continue
		}
		if !r.wrapped {
			r.edge, r.head, r.wrapped = r.head, 0, true
			continue
		}
		from := r.tail
		e := r.at(from)
		again := e.length()&flagMask == flagMask && reinserts < maxReinserts
		if !again {
			r.evict()
			continue
		}
		reinserts++
		r.pass()
		if to, ok := r.place(len(e)); ok {
			r.index.swap(hashID(e.id()), refAt(from), refAt(to))
			moved := cachedEntry(r.buf[to : to+len(e)])
			copy(moved, e)
			moved.setLength(moved.length() &^ flagUsed)
		} else {
			r.gone(e, from)
		}
	}
}

// place takes room at the head, if there is some.
func (r *ring) place(size int) (offset int, ok bool) {
	limit := len(r.buf)
	if r.wrapped {
		limit = r.tail
	}
	if r.head+size > limit {
		return 0, false
	}
	r.head += size
	return r.head - size, true
}

func (r *ring) grow(size int) {
	n := max(len(r.buf)+max(len(r.buf)/growPart, firstBuffer), r.head+size)
	buf := make([]byte, min(n, r.most))
	copy(buf, r.buf[:r.head])
	r.buf = buf
}

// evict frees the oldest entry.
func (r *ring) evict() {
	if !r.wrapped && r.tail == r.head {
		return
	}
	from := r.tail
	e := r.at(from)
	r.pass()
	if e.length()&flagLive != 0 {
		r.gone(e, from)
	}
}

func (r *ring) gone(e cachedEntry, from int) {
	r.index.remove(hashID(e.id()), refAt(from))
	r.evicted++
}

// pass moves the tail behind the oldest entry.
func (r *ring) pass() {
	r.tail += r.at(r.tail).size()
	switch {
	case r.wrapped && r.tail == r.edge:
		r.wrapped, r.tail = false, 0
	case !r.wrapped && r.tail == r.head:
		r.tail, r.head = 0, 0
	}
}

// clear forgets all entries and keeps the memory.
func (r *ring) clear() {
	r.head, r.tail, r.wrapped = 0, 0, false
	clear(r.index.entries)
	r.index.used = 0
}

func (r *ring) count(s *hosts.CacheStats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Hits += r.hits
	s.Evicted += r.evicted
	s.Sessions += r.index.used
	s.Bytes += int64(len(r.buf)) + int64(len(r.index.entries))*entryBytes
	s.MaxBytes += int64(r.most) + r.budget.max
}
