package cachestore

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// The sessions of a user in a shard are a tree, in the order of their IDs, so
// that a page of them costs what is on it. It is a treap: no slot is above one
// of a higher rank, which is a hash of the ID, so that the tree is as deep as a
// random one, whatever comes and goes. Sessions of one user are few, mostly one.

func (s slot) rank() uint64 { return xxhash.Sum64(s.key()) }

func (s slot) before(o slot) bool { return bytes.Compare(s.key(), o.key()) < 0 }

// plant puts a slot with nothing below it into a tree and returns the root.
func (sh *shard) plant(root, at ref) ref {
	s := sh.slot(at)
	if root == 0 {
		return at
	}
	n := sh.slot(root)
	switch {
	case s.rank() > n.rank():
		left, right := sh.split(root, s)
		s.setLeft(left)
		s.setRight(right)
		return at
	case s.before(n):
		n.setLeft(sh.plant(n.left(), at))
	default:
		n.setRight(sh.plant(n.right(), at))
	}
	return root
}

// split makes two trees of one: what is before s, and the rest.
func (sh *shard) split(root ref, s slot) (left, right ref) {
	if root == 0 {
		return 0, 0
	}
	n := sh.slot(root)
	if n.before(s) {
		left, right = sh.split(n.right(), s)
		n.setRight(left)
		return root, right
	}
	left, right = sh.split(n.left(), s)
	n.setLeft(right)
	return left, root
}

// join makes one tree of two, all of left before all of right.
func (sh *shard) join(left, right ref) ref {
	if left == 0 || right == 0 {
		return left | right
	}
	l, r := sh.slot(left), sh.slot(right)
	if l.rank() > r.rank() {
		l.setRight(sh.join(l.right(), right))
		return left
	}
	r.setLeft(sh.join(left, r.left()))
	return right
}

// uproot takes a slot out of its tree and returns the root.
func (sh *shard) uproot(root ref, s slot) ref {
	n := sh.slot(root)
	switch {
	case s.before(n):
		n.setLeft(sh.uproot(n.left(), s))
	case n.before(s):
		n.setRight(sh.uproot(n.right(), s))
	default:
		return sh.join(s.left(), s.right())
	}
	return root
}

// relink makes the tree name a slot by another ref and returns the root.
func (sh *shard) relink(root ref, s slot, from, to ref) ref {
	if root == from {
		return to
	}
	for n := sh.slot(root); ; {
		switch {
		case n.left() == from:
			n.setLeft(to)
			return root
		case n.right() == from:
			n.setRight(to)
			return root
		case s.before(n):
			n = sh.slot(n.left())
		default:
			n = sh.slot(n.right())
		}
	}
}
