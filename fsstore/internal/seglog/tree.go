package seglog

import (
	"bytes"

	"github.com/rockstar-web/sessions/core"
)

// The sessions of a user are a tree in the order of their IDs, so that a page of
// them costs what is on it. It is a treap: no entry is above one of a higher rank,
// which is a hash of the ID, so that the tree is as deep as a random one, whatever
// comes and goes.

func (x *index) rank(r ref) uint32 { return x.hash(x.entry(r).id) }

func (e *entry) before(o *entry) bool { return bytes.Compare(e.id[:], o.id[:]) < 0 }

// toward returns the link of e that leads to o.
func (e *entry) toward(o *entry) *ref {
	if o.before(e) {
		return &e.left
	}
	return &e.right
}

// plant puts an entry into a tree, unless it is there, and returns the root.
func (x *index) plant(root, r ref) ref {
	e, rank, at := x.entry(r), x.rank(r), &root
	for *at != 0 && *at != r && x.rank(*at) >= rank {
		at = x.entry(*at).toward(e)
	}
	if *at == r {
		return root
	}
	rest := *at // all of it comes below r, on its two sides
	*at = r
	left, right := &e.left, &e.right
	for rest != 0 {
		if n := x.entry(rest); n.before(e) {
			*left, left = rest, &n.right
			rest = *left
		} else {
			*right, right = rest, &n.left
			rest = *right
		}
	}
	*left, *right = 0, 0
	return root
}

// uproot takes an entry out of a tree, if it is there, and returns the root.
func (x *index) uproot(root, r ref) ref {
	e, at := x.entry(r), &root
	for *at != r {
		if *at == 0 {
			return root
		}
		at = x.entry(*at).toward(e)
	}
	left, right := e.left, e.right
	for left != 0 && right != 0 {
		if x.rank(left) >= x.rank(right) {
			*at, at = left, &x.entry(left).right
			left = *at
		} else {
			*at, at = right, &x.entry(right).left
			right = *at
		}
	}
	*at = left | right
	e.left, e.right = 0, 0
	return root
}

// walkTree calls f for the entries of a tree behind after, in order, until it
// returns false.
func (x *index) walkTree(root ref, after core.ID, f func(ref) bool) bool {
	for root != 0 {
		e := x.entry(root)
		if bytes.Compare(e.id[:], after[:]) > 0 && !(x.walkTree(e.left, after, f) && f(root)) {
			return false
		}
		root = e.right
	}
	return true
}

// build makes a tree of sessions that are in the order of their IDs. Each comes
// below the last of a higher rank, and above all others since that.
func (x *index) build(sorted []unowned) ref {
	var last []unowned // of the way from the root to the right
	for _, u := range sorted {
		e, n := x.entry(u.at), len(last)
		for n > 0 && last[n-1].rank < u.rank {
			n--
		}
		e.left, e.right = 0, 0
		if n < len(last) {
			e.left = last[n].at
		}
		if n > 0 {
			x.entry(last[n-1].at).right = u.at
		}
		last = append(last[:n], u)
	}
	if len(last) == 0 {
		return 0
	}
	return last[0].at
}
