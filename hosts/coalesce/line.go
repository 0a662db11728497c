package coalesce

import "github.com/rockstar-web/sessions/core"

// call is one caller's question. Its answer is sent once, and buffered: a
// caller that has left is not waited for.
type call[Q, A any] struct {
	q      Q
	key    core.ID // calls of one key take turns; zero: they need not
	bytes  int
	answer chan verdict[A]

	in         *list[Q, A] // that it waits in; nil before and after
	prev, next *call[Q, A]
	behind     *list[Q, A] // others of its key; theirs once it is over
}

// verdict is the answer to a call, or word that its caller may ask by itself.
type verdict[A any] struct {
	a     A
	alone bool
}

// list is a queue whose members can leave from anywhere.
type list[Q, A any] struct {
	first, last *call[Q, A]
	calls       int
}

func (l *list[Q, A]) push(c *call[Q, A]) {
	c.in, c.prev, c.next = l, l.last, nil
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
	l.calls++
}

func (l *list[Q, A]) remove(c *call[Q, A]) {
	if c.prev == nil {
		l.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.in, c.prev, c.next = nil, nil, nil
	l.calls--
}

// line is the calls that wait, first come, first served. Of each key one call
// is ready or under way and the others are behind it: when it is over the next
// goes to the end of the line, so that a session whose saves repeat does not
// keep the others waiting. Every step costs the same however many wait.
type line[Q, A any] struct {
	ready list[Q, A]
	turn  map[core.ID]*call[Q, A] // by key, which is ready or under way
	calls int                     // that wait, also behind others
	bytes int                     // of them
}

func (n *line[Q, A]) join(c *call[Q, A]) {
	n.calls++
	n.bytes += c.bytes
	if c.key.IsZero() {
		n.ready.push(c)
		return
	}
	first := n.turn[c.key]
	switch {
	case first == nil:
		if n.turn == nil {
			n.turn = map[core.ID]*call[Q, A]{}
		}
		n.turn[c.key] = c
		n.ready.push(c)
		return
	case first.behind == nil:
		first.behind = new(list[Q, A])
	}
	first.behind.push(c)
}

// leave takes c out wherever it waits. False means that its turn had come.
func (n *line[Q, A]) leave(c *call[Q, A]) bool {
	if c.in == nil {
		return false
	}
	ready := c.in == &n.ready
	n.begin(c)
	if ready {
		n.over(c)
	}
	return true
}

// begin takes out a call whose turn has come.
func (n *line[Q, A]) begin(c *call[Q, A]) {
	c.in.remove(c)
	n.calls--
	n.bytes -= c.bytes
}

// over gives the turn of c, which waits no more, to the next of its key.
func (n *line[Q, A]) over(c *call[Q, A]) {
	if c.key.IsZero() {
		return
	}
	rest := c.behind
	if c.behind = nil; rest == nil || rest.calls == 0 {
		delete(n.turn, c.key)
		return
	}
	next := rest.first
	rest.remove(next)
	next.behind = rest
	n.turn[c.key] = next
	n.ready.push(next)
}

// empty takes out all that wait and returns them.
func (n *line[Q, A]) empty() (all []*call[Q, A]) {
	out := func(l *list[Q, A]) {
		for l != nil && l.first != nil {
			all = append(all, l.first)
			n.begin(l.first)
		}
	}
	for _, first := range n.turn {
		out(first.behind)
	}
	out(&n.ready)
	for _, c := range all {
		if n.turn[c.key] == c {
			n.over(c)
		}
	}
	return all
}
