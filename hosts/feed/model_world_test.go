package feed_test

// version of the record: gone, what was there at first, and one for each save.
type version int8

const (
	gone  version = 0
	first version = 1
)

// A change is one of these; its save has the version firstSave plus its number.
const (
	elsewhere = iota // a save
	own1
	own2
	logout
	changes

	firstSave version = 2
	allOf             = 1<<(firstSave+logout) - 1 // every version, as a set
)

func saved(c int) version {
	if c == logout {
		return gone
	}
	return firstSave + version(c)
}

// stage of a call.
type stage int8

const (
	idle    stage = iota
	sent          // B's own calls only
	stored        // it is done in the store
	refused       // a conflict, for the answer to say
	landed        // B has the answer
	acked
)

// change is a call that changes the session.
type change struct {
	stage  stage
	marked bool    // a call of B's whose answer is not to be kept
	own    bool    // a logout in B
	asked  bool    // a logout that has read the mark
	waits  bool    // for that mark
	prev   version // that B's save replaces
	before uint8   // the versions that it replaced, as a set
	age    int8    // of the acknowledgement, or of the answer to a logout's delete
}

// mark is the store's; see State.
type mark int8

const (
	none mark = iota
	on
	stopping
	off
)

// state is one moment. It is comparable, and times in it are ages in ticks.
type state struct {
	now      version // in the store
	history  uint8   // versions that were ever there, as a set
	mark     mark
	stopped  int8 // age of stopping
	visible  uint8
	reported uint8 // entries, as sets of changes
	change   [changes]change

	question [2]question // the second is of a mutation
	through  int8        // age; explorer.old: none
	cached   version     // gone: nothing
	prev     version     // that B's own save has replaced
	load     load
	read     read
}

// explorer has the rules by which one state follows another.
type explorer struct {
	rule
	scene
	broken string
}

// old is the age beyond which no question differs from a later one.
func (e *explorer) old() int8 { return e.lease + e.stall }

func (e *explorer) first() state {
	s := state{now: first, history: 1 << first, mark: on, through: e.old()}
	s.question[0].stage = left
	if e.marks {
		s.mark = none
	}
	return s
}

// steps reports every state that can follow.
func (e *explorer) steps(s state, to func(state, string)) {
	if e.mayTick(&s) {
		to(e.tick(s), "a tick passes")
	}
	if e.scene.elsewhere {
		e.saveElsewhere(s, to)
	}
	for c := own1; c < own1+e.own; c++ {
		e.ownSave(s, c, to)
	}
	if e.logout {
		e.endSession(s, to)
	}
	if e.marks {
		e.operator(s, to)
	}
	e.asks(s, to)
	e.loads(s, to)
	e.reads(s, to)
}

// mayTick: a read stops for a bounded time only before its first look; see scene.
func (e *explorer) mayTick(s *state) bool {
	timed := s.read.stage == began || s.read.stage == looked && e.recordFirst
	return !timed || s.read.age < e.stall
}

func (e *explorer) tick(s state) state {
	s.stopped = min(s.stopped+1, wait)
	for _, age := range []*int8{&s.through, &s.question[0].age, &s.question[1].age} {
		*age = min(*age+1, e.old())
	}
	if s.read.stage == began || s.read.stage == looked && e.recordFirst {
		s.read.age++
	}
	for i := range s.change {
		if c := &s.change[i]; i == elsewhere && c.stage == acked || i == logout && (c.stage == stored || c.stage == landed) {
			c.age = min(c.age+1, max(wait, e.wait))
		}
	}
	return s.normal()
}

// normal clears what nothing looks at any more, so that equal states are the same.
func (s state) normal() state {
	for i := range s.question {
		if st := s.question[i].stage; st == left || st == waits || st == forgetting {
			s.question[i].age = 0
		}
	}
	if s.mark != stopping {
		s.stopped = 0
	}
	return s
}

// store makes a change, with its entry or without one yet.
func (s *state) store(c int) {
	s.change[c].stage, s.change[c].before, s.change[c].age = stored, s.history, 0
	if c == logout {
		s.change[c].before = 0 // every version, anyway
	}
	s.now = saved(c)
	s.history |= 1 << s.now
}

// entries has the entry of a change become visible, when the rule allows it.
func (e *explorer) entries(s state, c int, to func(state, string)) {
	bit := uint8(1) << c
	st := s.change[c].stage
	late := st == landed || st == acked
	early := st == idle && c == elsewhere && e.entryEarly && s.now != gone
	if s.visible&bit == 0 && (st == stored || early || late && e.entryLate) {
		s.visible |= bit
		to(s, "the entry of "+names[c]+" can be seen")
	}
}

// complete reports whether a change may be acknowledged.
func (e *explorer) complete(s *state, c int) bool {
	return s.visible&(1<<c) != 0 || e.entryLate
}

var names = [changes]string{"the save elsewhere", "B's save", "B's other save", "the logout"}

func (e *explorer) saveElsewhere(s state, to func(state, string)) {
	e.entries(s, elsewhere, to)
	c := &s.change[elsewhere]
	switch {
	case c.stage == idle && s.now != gone:
		s.store(elsewhere)
		to(s, "a save elsewhere is done")
	case c.stage == stored && e.complete(&s, elsewhere):
		c.stage, c.age = acked, 0
		to(s, "the save elsewhere is acknowledged")
	}
}

// endSession is a logout: it deletes, reads the mark, and waits since the delete was
// answered.
func (e *explorer) endSession(s state, to func(state, string)) {
	e.entries(s, logout, to)
	c := &s.change[logout]
	reads := func() {
		c.asked, c.waits = true, s.mark == on || s.mark == stopping
		to(s, "the logout reads the mark")
	}
	switch c.stage {
	case idle:
		if e.marks && e.markFirst && !c.asked {
			reads()
			return
		}
		if e.ownLogout {
			next := s
			next.change[logout].stage, next.change[logout].own = sent, true
			to(next, "B sends a delete")
		}
		s.store(logout)
		to(s, "a delete elsewhere is done")
	case sent:
		s.store(logout)
		to(s, "B's delete is done")
	case stored:
		if !e.complete(&s, logout) {
			return
		}
		c.stage = landed
		if !e.waitsSinceStored {
			c.age = 0
		}
		if c.own {
			s.drop(!e.deleteKeepsCalls)
		}
		to(s, "the delete is answered")
	case landed:
		switch {
		case e.marks && !c.asked:
			reads()
		case e.marks && !c.waits || c.age >= e.wait:
			*c = change{stage: acked}
			to(s, "the logout is acknowledged")
		}
	}
}

// operator moves the mark.
func (e *explorer) operator(s state, to func(state, string)) {
	switch {
	case s.mark == on && e.stoppingSkipped:
		s.mark = off
		to(s, "the mark is Off")
	case s.mark == on:
		s.mark, s.stopped = stopping, 0
		to(s, "the mark is Stopping")
	case s.mark == stopping && s.stopped >= wait:
		s.mark = off
		to(s.normal(), "the mark is Off")
	case s.mark == off:
		s.mark = on
		to(s, "the mark is On once more")
	}
}
