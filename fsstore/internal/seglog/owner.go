package seglog

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
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

// rootOf returns the root of the tree of a user's sessions, or zero.
func (x *index) rootOf(o owner) ref {
	t, hash := x.usersLike(o)
	return t.find(hash, func(r ref) bool { return x.entry(r).owner == o })
}

func (x *index) setRoot(o owner, old, root ref) {
	t, hash := x.usersLike(o)
	switch {
	case root == old:
	case old == 0:
		t.add(hash, root)
	case root == 0:
		t.remove(hash, old)
	default:
		t.replace(hash, old, root)
	}
}

// own and disown keep the sessions of a user in a tree. Sessions without a user,
// the many, are in none.
func (x *index) own(r ref) {
	o := x.entry(r).owner
	if o.user() == 0 {
		return
	}
	root := x.rootOf(o)
	if x.opening && root != 0 {
		x.later = append(x.later, r)
		return
	}
	x.setRoot(o, root, x.plant(root, r))
}

func (x *index) disown(r ref) {
	if o := x.entry(r).owner; o.user() != 0 {
		root := x.rootOf(o)
		x.setRoot(o, root, x.uproot(root, r))
	}
}

// ownLater plants what was put off while the log was opened, in the order of the
// IDs: neighbours are at hand then, which in the order of the log are anywhere in
// the memory. Some may be gone by now, or be planted.
func (x *index) ownLater() {
	type placed struct {
		key uint64 // the first half of the ID
		at  ref
	}
	sorted := make([]placed, len(x.later))
	for i, r := range x.later {
		sorted[i] = placed{binary.BigEndian.Uint64(x.entry(r).id[:]), r}
	}
	x.opening, x.later = false, nil
	slices.SortFunc(sorted, func(a, b placed) int { return cmp.Compare(a.key, b.key) })
	for _, p := range sorted {
		x.own(p.at)
	}
}
