package seglog

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// owner is a hash of a tenant in the upper half and of a user in the lower,
// which is zero for none. Equal hashes are no proof: the record is asked.
type owner uint64

func (o owner) tenant() uint32 { return uint32(o >> 32) }
func (o owner) user() uint32   { return uint32(o) }

func (x *index) ownerOf(tenant, user string) owner {
	h := owner(maphash.String(x.seed, tenant)) << 32
	if user != "" {
		h |= max(1, owner(uint32(maphash.String(x.seed, user))))
	}
	return h
}

// usersLike returns the table of an owner, and its hash there.
func (x *index) usersLike(o owner) (*table, uint32) {
	hash := o.user() ^ o.tenant()*0x9e3779b1
	return &x.users[hash>>24], hash
}

// firstOf returns the first session in the list of a user, or zero.
func (x *index) firstOf(o owner) ref {
	t, hash := x.usersLike(o)
	return t.find(hash, func(r ref) bool { return x.entry(r).owner == o })
}

// chain and unchain keep the sessions of a user in a list. Sessions without a
// user, the many, are in none.
func (x *index) chain(r ref) {
	e := x.entry(r)
	if e.owner.user() == 0 {
		return
	}
	t, hash := x.usersLike(e.owner)
	if e.next = x.firstOf(e.owner); e.next != 0 {
		x.entry(e.next).prev = r
		t.replace(hash, e.next, r)
	} else {
		t.add(hash, r)
	}
}

func (x *index) unchain(r ref) {
	e := x.entry(r)
	if e.owner.user() == 0 {
		return
	}
	t, hash := x.usersLike(e.owner)
	if e.next != 0 {
		x.entry(e.next).prev = e.prev
	}
	switch {
	case e.prev != 0:
		x.entry(e.prev).next = e.next
	case e.next != 0:
		t.replace(hash, r, e.next)
	default:
		t.remove(hash, r)
	}
	e.next, e.prev = 0, 0
}

// matches reports whether the session may be one that q selects.
func (x *index) matches(e *entry, q *hosts.Query, o owner) bool {
	return (q.AnyTenant || e.owner.tenant() == o.tenant()) && (q.AnyUser || e.owner.user() == o.user()) &&
		(q.ExpiresBefore == 0 || e.expires < q.ExpiresBefore)
}

// candidates returns the IDs behind after of sessions that q may select, sorted:
// those of one user, or those whose first byte is b.
func (x *index) candidates(q *hosts.Query, after core.ID, b byte) (ids []core.ID, oneUser bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	o := x.ownerOf(q.Tenant, q.User)
	add := func(r ref) {
		if e := x.entry(r); x.matches(e, q, o) && bytes.Compare(e.id[:], after[:]) > 0 {
			ids = append(ids, e.id)
		}
	}
	if oneUser = !q.AnyTenant && !q.AnyUser && o.user() != 0; oneUser {
		for r := x.firstOf(o); r != 0; r = x.entry(r).next {
			add(r)
		}
	} else {
		x.ids[b].all(add)
	}
	slices.SortFunc(ids, func(a, b core.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids, oneUser
}
