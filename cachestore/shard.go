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
	users   table        // by user: the root of the tree of his sessions
	expiry  []ref        // a heap, the soonest first
	classes [classes]class
}

func hashID(id core.ID) uint32 { return uint32(xxhash.Sum64(id[:])) }

func (sh *shard) hashUser(user []byte) uint32 { return uint32(maphash.Bytes(sh.seed, user)) }

func (sh *shard) find(id core.ID) ref {
	return sh.ids.find(hashID(id), func(r ref) bool { return sh.slot(r).id() == id })
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
		s = sh.fresh(old)
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
		sh.fresh(old)
		sh.fill(old, r)
	default:
		return false
	}
	return true
}

func (sh *shard) remove(r ref) {
	s := sh.slot(r)
	sh.budget.users.add(sh.ownerOf(s), -int64(s.size()))
	sh.detach(r)
	sh.freeSlot(r)
}

func (sh *shard) ownerOf(s slot) owner { return sh.budget.users.owner(s.tenant(), s.user()) }

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
	s.setLeft(0)
	s.setRight(0)
	if r.User != "" {
		root := sh.findUser(s.user())
		sh.setRoot(s.user(), root, sh.plant(root, at))
	}
}

// detach takes a slot out of the indexes.
func (sh *shard) detach(at ref) {
	s := sh.slot(at)
	sh.ids.remove(hashID(s.id()), at)
	sh.expiryRemove(s.place())
	if len(s.user()) != 0 {
		root := sh.findUser(s.user())
		sh.setRoot(s.user(), root, sh.uproot(root, s))
	}
}

// setRoot notes that the tree of a user has another root, or none.
func (sh *shard) setRoot(user []byte, old, new ref) {
	switch hash := sh.hashUser(user); {
	case old == new:
	case old == 0:
		sh.users.add(hash, new)
	case new == 0:
		sh.users.remove(hash, old)
	default:
		sh.users.swap(hash, old, new)
	}
}

// repoint makes all that names a slot name another, to which its content moves.
func (sh *shard) repoint(from, to ref, s slot) {
	sh.ids.swap(hashID(s.id()), from, to)
	sh.expiry[s.place()] = to
	if len(s.user()) != 0 {
		root := sh.findUser(s.user())
		sh.setRoot(s.user(), root, sh.relink(root, s, from, to))
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
