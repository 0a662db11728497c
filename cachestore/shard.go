package cachestore

import (
	"hash/maphash"
	"sync"

	"github.com/cespare/xxhash/v2"

	"github.com/rockstar-web/sessions/core"
)

// shard is a part of the store with its own lock, slots and indexes. The
// indexes change together with the record, under one lock, so that no search
// can see one without the other. A goroutine holds at most one shard.
type shard struct {
	mu      sync.RWMutex
	closed  bool
	budget  *budget
	seed    maphash.Seed // users are chosen by visitors: a plain hash could be flooded
	ids     table        // by ID
	users   table        // by user: the first slot of the list of his sessions
	expiry  []ref        // a heap, the soonest first
	classes [classes]class
}

func hashID(id core.ID) uint32 { return uint32(xxhash.Sum64(id[:])) }

func (sh *shard) hashUser(user []byte) uint32 { return uint32(maphash.Bytes(sh.seed, user)) }

func (sh *shard) find(id core.ID, hash uint32) ref {
	return sh.ids.find(hash, func(r ref) bool { return sh.slot(r).id() == id })
}

func (sh *shard) findUser(user []byte) ref {
	return sh.users.find(sh.hashUser(user), func(r ref) bool { return string(sh.slot(r).user()) == string(user) })
}

// insert stores a record whose ID is new, or returns false when there is no
// room. Room is made in the slabs last: what a refused insert leaves behind is
// a little room in an index, which the next deletion trims.
func (sh *shard) insert(r *core.Record, limit int64) bool {
	c := classOf(recordSize(r))
	if !sh.ids.room(sh.budget, limit) || !sh.expiryRoom(limit) ||
		r.User != "" && !sh.users.room(sh.budget, limit) || !sh.slotRoom(c, limit) {
		return false
	}
	sh.fill(sh.takeSlot(c), r)
	return true
}

// replace overwrites the record in a slot, or returns false when there is no
// room. A record that changes its size moves to its class; without room there
// it stays if it fits, so that shrinking never fails.
func (sh *shard) replace(old ref, r *core.Record, limit int64) bool {
	s := sh.slot(old)
	size := recordSize(r)
	c := classOf(size)
	sameUser := string(s.user()) == r.User
	if sameUser && c == old.class() {
		s.write(r)
		sh.expiryFix(s.place())
		return true
	}
	if !sameUser && r.User != "" && !sh.users.room(sh.budget, limit) {
		return false
	}
	switch {
	case c != old.class() && sh.slotRoom(c, limit):
		sh.detach(old)
		sh.freeSlot(old)
		sh.fill(sh.takeSlot(c), r)
	case size <= len(s):
		sh.detach(old)
		sh.fill(old, r)
	default:
		return false
	}
	return true
}

func (sh *shard) remove(r ref) {
	sh.detach(r)
	sh.freeSlot(r)
}

// trim gives up what removals have left unused.
func (sh *shard) trim() {
	sh.ids.trim(sh.budget)
	sh.users.trim(sh.budget)
	sh.expiryTrim()
}

// fill writes a record into a slot and enters it in the indexes.
func (sh *shard) fill(at ref, r *core.Record) {
	s := sh.slot(at)
	s.write(r)
	sh.ids.add(hashID(r.ID), at)
	sh.expiryPush(at)
	s.setPrev(0)
	s.setNext(0)
	if r.User == "" {
		return
	}
	head := sh.findUser(s.user())
	if head == 0 {
		sh.users.add(sh.hashUser(s.user()), at)
		return
	}
	sh.users.swap(sh.hashUser(s.user()), head, at)
	s.setNext(head)
	sh.slot(head).setPrev(at)
}

// detach takes a slot out of the indexes.
func (sh *shard) detach(at ref) {
	s := sh.slot(at)
	sh.ids.remove(hashID(s.id()), at)
	sh.expiryRemove(s.place())
	if len(s.user()) == 0 {
		return
	}
	prev, next := s.prev(), s.next()
	switch {
	case prev != 0:
		sh.slot(prev).setNext(next)
	case next != 0:
		sh.users.swap(sh.hashUser(s.user()), at, next)
	default:
		sh.users.remove(sh.hashUser(s.user()), at)
	}
	if next != 0 {
		sh.slot(next).setPrev(prev)
	}
}

// repoint makes all that names a slot name another, to which its content moves.
func (sh *shard) repoint(from, to ref, s slot) {
	sh.ids.swap(hashID(s.id()), from, to)
	sh.expiry[s.place()] = to
	if len(s.user()) == 0 {
		return
	}
	if prev := s.prev(); prev != 0 {
		sh.slot(prev).setNext(to)
	} else {
		sh.users.swap(sh.hashUser(s.user()), from, to)
	}
	if next := s.next(); next != 0 {
		sh.slot(next).setPrev(to)
	}
}

func (sh *shard) len() int {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.ids.used
}

// close forgets everything.
func (sh *shard) close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = true
	sh.ids, sh.users, sh.expiry = table{}, table{}, nil
	clear(sh.classes[:])
}
