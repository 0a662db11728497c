package seglog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/rockstar-web/sessions/core"
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
	if x.opening && root != 0 && x.entry(root).left != 0 && x.entry(root).right != 0 {
		x.later = append(x.later, unowned{key: uint64(o), at: r})
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

// unowned is a session that is put off while the log is opened: in the order of
// the log the places in a large tree are anywhere in the memory, and each step to
// them is waited for. A tree is cheaper built of all at once. Users with two or
// three have none put off.
type unowned struct {
	key  uint64 // its owner, later the first half of its ID
	at   ref
	rank uint32 // here so that a tree is built without a look at the sessions
}

func compareKeys(a, b unowned) int { return cmp.Compare(a.key, b.key) }

// ownLater plants what was put off. Some are gone by now, or are in their tree.
func (x *index) ownLater() {
	later := x.later
	x.opening, x.later = false, nil
	slices.SortFunc(later, compareKeys)
	for len(later) > 0 {
		o, n := later[0].key, 1
		for n < len(later) && later[n].key == o {
			n++
		}
		x.ownAll(owner(o), later[:n])
		later = later[n:]
	}
}

// ownAll plants sessions that were put off, all of one user.
func (x *index) ownAll(o owner, later []unowned) {
	later = slices.DeleteFunc(later, func(u unowned) bool { return x.entry(u.at).owner != o })
	for i, u := range later {
		later[i].key, later[i].rank = binary.BigEndian.Uint64(x.entry(u.at).id[:]), x.rank(u.at)
	}
	slices.SortFunc(later, func(a, b unowned) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return bytes.Compare(x.entry(a.at).id[:], x.entry(b.at).id[:])
	})
	var planted []ref
	old := x.rootOf(o)
	x.walkTree(old, core.ID{}, func(r ref) bool { planted = append(planted, r); return true })
	root := x.build(slices.Compact(later))
	for _, r := range planted {
		root = x.plant(root, r)
	}
	x.setRoot(o, old, root)
}
