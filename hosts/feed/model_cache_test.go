package feed_test

// This file is the process B: see Poller and package cachestore.

// asking is how far B's poller is with a question.
type asking int8

const (
	left       asking = iota // it does not follow
	marking                  // it sets the mark
	following                // and begins to follow
	positioned               // the store has the follower
	forgotten                // what was cached
	waits                    // until the next question
	asked
	answered
	applied
	forgetting // after a gap
)

type question struct {
	stage   asking
	age     int8
	entries uint8 // of the answer, as a set of changes
}

// load is one on its way.
type load struct {
	stage  stage
	marked bool // its answer is not to be kept
	found  version
}

// looking is how far a read is.
type looking int8

const (
	noRead looking = iota
	began          // it has read its clock
	looked         // and through, or by a mutation the record
)

type read struct {
	stage  looking
	age    int8
	record version // of a mutation
	stale  uint8   // versions that must not be believed, as a set
}

// markCalls has no call on its way keep its answer.
func (s *state) markCalls() {
	if s.load.stage != idle {
		s.load.marked = true
	}
	for _, c := range []int{own1, own2} {
		if st := s.change[c].stage; st == sent || st == stored || st == refused {
			s.change[c].marked = true
		}
	}
}

// drop forgets the session.
func (s *state) drop(calls bool) {
	s.cached, s.prev = gone, gone
	if calls {
		s.markCalls()
	}
}

// apply drops what an answer says was changed.
func (e *explorer) apply(s *state, entries uint8) {
	for c := range changes {
		if entries&(1<<c) == 0 {
			continue
		}
		if !e.noMark {
			s.markCalls()
		}
		v := saved(c)
		known := v != gone && (s.cached == v || s.prev == v)
		if !known && !(e.entryKeepsOwn && s.prev != gone) {
			s.cached, s.prev = gone, gone
		}
	}
}

func (e *explorer) asks(s state, to func(state, string)) {
	n := 1
	if e.twoQuestions && s.question[0].stage >= waits {
		n = 2
	}
	for i := range n {
		if s.question[i].stage < waits && i == 0 {
			e.follows(s, to)
		} else {
			e.ask(s, i, to)
		}
	}
}

// follows begins to follow: the moment before counts as that of a question.
func (e *explorer) follows(s state, to func(state, string)) {
	q := &s.question[0]
	switch q.stage {
	case left:
		q.stage, q.age = marking, 0
		if !e.marks {
			q.stage = following
		}
		to(s, "B begins to follow")
	case marking:
		switch {
		case e.believesBeforeMark && s.mark == none:
		case s.mark == none || s.mark == on:
			s.mark = on
		default:
			q.stage = left
			to(s.normal(), "B hears that caching is off")
			return
		}
		q.stage = following
		to(s, "B has seen to the mark")
	case following:
		q.stage = positioned
		s.reported = s.visible
		to(s, "B follows")
	case positioned:
		q.stage = forgotten
		if !e.gapKeeps {
			s.drop(!e.followKeepsCalls)
		}
		to(s, "B has forgotten everything")
	case forgotten:
		s.through = q.age
		*q = question{stage: waits}
		to(s, "B's through moves")
	}
}

func (e *explorer) ask(s state, i int, to func(state, string)) {
	q := &s.question[i]
	switch q.stage {
	case waits, left: // left: the second question of a mutation
		next := s
		next.question[i] = question{stage: asked}
		to(next, "B sends a question")
		if e.doubts && i == 0 {
			s.question = [2]question{}
			s.through = e.old()
			to(s, "B gives its follower up")
		}
	case asked:
		e.answers(s, i, to)
	case answered:
		if e.markLate && e.unmarked(&s) {
			to(e.gap(s), "B hears that the mark is not On")
			return
		}
		q.stage = applied
		if e.throughFirst {
			s.through = q.age
		} else {
			e.apply(&s, q.entries)
		}
		to(s, "B takes the answer")
	case applied:
		switch {
		case e.throughFirst:
			e.apply(&s, q.entries)
		case e.throughAfter:
			s.through = 0
		default:
			s.through = q.age
		}
		*q = question{stage: waits}
		to(s, "B is done with the answer")
	case forgetting:
		if !e.gapKeeps {
			s.drop(true)
		}
		s.question = [2]question{}
		to(s, "B forgets everything")
	}
}

// answers has the store answer a question: complete, with what is new or with
// everything once more; not at all; or with a gap, as it does without the mark.
func (e *explorer) answers(s state, i int, to func(state, string)) {
	q := &s.question[i]
	gap := func(next state, why string) { to(e.gap(next), why) }
	if !e.markLate && e.unmarked(&s) {
		gap(s, "B hears that the mark is not On")
		return
	}
	if e.doubts {
		next := s
		next.reported = next.visible
		gap(next, "B is told of a gap")
		next = s
		next.question[i] = question{stage: waits}
		if e.lostAnswerMovesOn {
			next.reported = next.visible
		}
		to(next, "the answer is lost")
	}
	q.stage = answered
	if e.doubts && s.reported&s.visible != 0 {
		next := s
		next.question[i].entries = s.visible
		next.reported = s.visible
		to(next, "the question is answered, some of it once more")
	}
	q.entries = s.visible &^ s.reported
	s.reported = s.visible
	to(s, "the question is answered")
}

func (e *explorer) gap(s state) state {
	s.question = [2]question{{stage: forgetting}}
	s.through = e.old()
	return s
}

// unmarked reports whether an answer of now is a gap for its mark.
func (e *explorer) unmarked(s *state) bool {
	return s.mark != on && !e.ignoresMark && !(e.believesBeforeMark && s.mark == none)
}

func (e *explorer) loads(s state, to func(state, string)) {
	l := &s.load
	switch l.stage {
	case idle:
		if s.now == gone {
			return // it would find nothing, and keep nothing
		}
		l.stage = sent
		to(s, "B sends a load")
	case sent:
		l.stage, l.found = stored, s.now
		to(s, "the load is served")
	case stored:
		got := *l
		*l = load{}
		switch {
		case got.found == gone:
			s.drop(false)
		case !got.marked:
			s.cached, s.prev = got.found, gone
		}
		to(s, "the load is answered")
	}
}

// ownSave is a save of B's, over what is stored when it is sent.
func (e *explorer) ownSave(s state, c int, to func(state, string)) {
	e.entries(s, c, to)
	call := &s.change[c]
	switch call.stage {
	case idle:
		if s.now == gone || c == own2 && s.change[own1].stage == idle {
			return // own2 after own1: they are alike
		}
		call.stage, call.prev = sent, s.now
		to(s, names[c]+" is sent")
	case sent:
		if s.now != call.prev {
			call.stage = refused
			to(s, names[c]+" meets a conflict")
			return
		}
		s.store(c)
		to(s, names[c]+" is done")
	case refused:
		s.drop(true)
		*call = change{stage: acked}
		to(s, names[c]+" is refused")
	case stored:
		if !e.complete(&s, c) {
			return
		}
		lost := s
		lost.drop(true)
		lost.change[c] = change{stage: acked}
		to(lost, "the answer to "+names[c]+" is lost")

		kept := *call
		*call = change{stage: landed, before: kept.before}
		s.drop(!e.saveKeepsOvertaken)
		if !kept.marked {
			s.cached, s.prev = saved(c), kept.prev
		}
		to(s, names[c]+" is answered")
	}
}

// reads begins a read only where there is something that it must not believe.
func (e *explorer) reads(s state, to func(state, string)) {
	r := s.read
	fresh := func() bool { return s.through-r.age < e.lease }
	switch r.stage {
	case noRead:
		if r.stale = s.mustNotBelieve(); r.stale != 0 {
			s.read = read{stage: began, stale: r.stale}
			to(s, "a read begins")
		}
	case began:
		s.read = read{}
		switch {
		case e.recordFirst:
			s.read = read{stage: looked, age: r.age, stale: r.stale, record: s.cached}
		case fresh():
			s.read = read{stage: looked, stale: r.stale}
		}
		to(s, "the read looks")
	case looked:
		s.read = read{}
		believes := true
		if e.recordFirst {
			believes = fresh()
		} else {
			r.record = s.cached
		}
		if believes && r.record != gone && r.stale&(1<<r.record) != 0 {
			e.broken = "the read believes what was replaced or ended before"
		}
		to(s, "the read is over")
	}
}

// mustNotBelieve is what a read that begins now must not believe.
func (s *state) mustNotBelieve() (stale uint8) {
	if c := s.change[logout]; c.stage == acked || c.stage == landed && c.own {
		stale |= allOf
	}
	if c := s.change[elsewhere]; c.stage == acked && c.age >= lease {
		stale |= c.before
	}
	for _, c := range []int{own1, own2} {
		if s.change[c].stage == landed {
			stale |= s.change[c].before
		}
	}
	return stale
}
