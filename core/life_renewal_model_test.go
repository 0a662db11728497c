package core

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// The model of periodic renewal: one browser, one stored session, and every
// order in which its requests are sent, loaded, saved and answered, with
// answers that are late or lost. A message is on its way for less than
// RenewGrace, which is what the grace is for; a handler takes as long as it
// likes. The store is a compare-and-swap, as every Store is.

// What a modelled request does.
const (
	reads = iota
	changes
	heads     // cannot carry a renewal
	refreshes // sends the cookie anyway
	signsIn
)

type phase byte

const (
	free phase = iota
	sent
	loaded
	answered
)

type flight struct {
	phase  phase
	kind   int
	shown  string     // cookie
	asked  generation // of shown
	since  Time       // when the message set out
	s      *Session
	answer string
	gen    generation // of the answer
}

type model struct {
	now     Time
	rec     Record
	in      *payload // of rec
	jar     string
	jarGen  generation
	flights [3]flight
	left    int // requests still to be sent
	saves   uint64
	logins  bool
}

const (
	modelTick  = Second
	modelGrace = 2 * Second
	modelAfter = 8 * Second
)

type explorer struct {
	t       *testing.T
	m       *Machine
	kinds   []int
	met     map[modelKey]bool
	secrets map[generation][32]byte // without logins there is one for each
}

func TestEveryOrderOfRenewal(t *testing.T) {
	for _, c := range []struct {
		kinds    []int
		requests int
	}{
		{[]int{reads}, soak.Rounds(t, 3, 4)},
		{[]int{changes}, soak.Rounds(t, 3, 4)},
		{[]int{reads, heads}, 3},
		{[]int{reads, refreshes}, 3},
		{[]int{heads, refreshes}, 2},
		{[]int{reads, signsIn}, 3},
	} {
		x := explorer{t: t, kinds: c.kinds, met: map[modelKey]bool{}, secrets: map[generation][32]byte{}}
		x.m = testMachine(t, Policy{RenewAfter: modelAfter, RenewGrace: modelGrace})
		g := signIn(t, x.m, Request{}, 0, testNow)
		in := g.resume(t, x.m, testNow).in
		x.explore(model{now: testNow, rec: g.rec, in: &in, jar: g.cookie, left: c.requests})
		t.Logf("%v: %d states", c.kinds, len(x.met))
	}
}

// must is require.True without its look at the whole, deep stack.
func (x *explorer) must(ok bool, what string) {
	if !ok {
		x.t.Fatal(what)
	}
}

func (x *explorer) explore(w model) {
	if key := x.key(&w); x.met[key] {
		return
	} else {
		x.met[key] = true
	}
	quiet, patient := true, true
	for i := range w.flights {
		f := &w.flights[i]
		quiet = quiet && f.phase == free
		patient = patient && (f.phase == free || f.phase == loaded || w.now+modelTick-f.since < modelGrace)
		switch f.phase {
		case sent:
			x.explore(x.load(w, i))
		case loaded:
			x.explore(x.save(w, i))
		case answered:
			x.explore(x.deliver(w, i))
			if f.answer != "" {
				lost := w
				lost.flights[i] = flight{}
				x.explore(lost)
			}
		}
	}
	if patient && !x.aged(&w) {
		later := w
		later.now += modelTick
		if early := w.in.renewedAt + modelAfter - 2*modelTick; quiet && later.now < early {
			later.now = early // nothing is on its way and nothing can be due
		}
		x.explore(later)
	}
	if quiet {
		x.comeBack(w)
	}
	if at := slices.IndexFunc(w.flights[:], func(f flight) bool { return f.phase == free }); at >= 0 && w.left > 0 {
		for _, kind := range x.kinds {
			next := w
			next.left--
			next.logins = w.logins || kind == signsIn
			next.flights[at] = flight{phase: sent, kind: kind, shown: w.jar, asked: w.jarGen, since: w.now}
			x.explore(next)
		}
	}
}

// load is the first step of a server: the honest visitor is let in, always,
// but for a cookie that a login replaced.
func (x *explorer) load(w model, i int) model {
	f := &w.flights[i]
	tickets, err := x.m.Identify([]string{f.shown}, "", w.now)
	x.must(err == nil, "a cookie of ours is not authentic")
	s, err := x.m.Resume(tickets[0], w.rec, Request{NoCookie: f.kind == heads}, w.now)
	if err != nil {
		require.ErrorIs(x.t, err, ErrSuperseded)
		require.NotEqual(x.t, tickets[0].gen.chain, w.in.gen.chain)
		require.True(x.t, w.logins)
		*f = flight{}
		return w
	}
	x.do(f.kind, s)
	f.phase, f.s = loaded, s
	return w
}

func (x *explorer) do(kind int, s *Session) {
	switch kind {
	case changes:
		put(x.t, s, "n", s.Len())
	case refreshes:
		require.NoError(x.t, s.Refresh())
	case signsIn:
		require.NoError(x.t, s.Login("alice", 0))
	}
}

// save commits; a conflict is rebased as a host does.
func (x *explorer) save(w model, i int) model {
	f, s := &w.flights[i], w.flights[i].s
	f.phase, f.since, f.s = answered, w.now, nil
	e := x.commit(&w, s)
	if e.Save != nil && e.Prev != w.rec.Version {
		if e.Touch {
			return w
		}
		rebased, err := x.m.Rebase(s, &w.rec, w.now)
		if err != nil || rebased == nil || rebased.state == StateNew {
			require.NotEqual(x.t, s.in.gen.chain, w.in.gen.chain, "only a login can be in the way")
			require.NotErrorIs(x.t, err, ErrTheft)
			*f = flight{} // a login's fresh session is another story
			return w
		}
		e = x.commit(&w, rebased)
	}
	if e.Save == nil {
		return w
	}
	x.must(w.rec.Version == e.Prev, "a conflict with nobody")
	before := w.in.gen
	w.rec, w.in = *e.Save, &e.Next.in
	if f.kind == heads {
		x.must(before == w.in.gen, "a renewal began where no cookie travels")
	}
	if len(e.Cookies) == 0 {
		return w
	}
	g := received(e)
	tickets, err := x.m.Identify([]string{g.cookie}, "", w.now)
	x.must(err == nil && tickets[0].gen == w.in.gen, "a superseded secret was set")
	ticket := tickets[0]
	if known, ok := x.secrets[ticket.gen]; ok && !w.logins {
		x.must(known == *shown(ticket.secret), "two cookies of one generation differ")
	} else if !w.logins {
		x.secrets[ticket.gen] = *shown(ticket.secret)
	}
	f.answer, f.gen = g.cookie, ticket.gen
	return w
}

func (x *explorer) commit(w *model, s *Session) Effects {
	w.saves++
	e, err := x.m.Commit(s, w.now, numbered(w.saves+1))
	x.must(err == nil, "commit")
	return e
}

// deliver brings an answer: what it sets is not superseded even now, but by a
// login that came after.
func (x *explorer) deliver(w model, i int) model {
	f := &w.flights[i]
	if f.answer != "" {
		x.must(f.gen == w.in.gen || f.gen.chain != w.in.gen.chain, "an answer sets a superseded secret")
		w.jar, w.jarGen = f.answer, f.gen
	}
	*f = flight{}
	return w
}

// comeBack lets the visitor return after a long pause, when everything has
// been answered or lost: he is let in, and one answer brings him up to date.
func (x *explorer) comeBack(w model) {
	w.now += 10 * modelAfter
	w.flights[0] = flight{phase: sent, kind: reads, shown: w.jar, asked: w.jarGen, since: w.now}
	w = x.load(w, 0)
	if w.flights[0].phase == free {
		return // superseded by a login whose answer was lost: he signs in again
	}
	w = x.save(w, 0)
	w = x.deliver(w, 0)
	x.must(w.in.gen == w.jarGen, "the visitor is stuck with a former secret")
}

// aged: no judgement changes any more by waiting.
func (x *explorer) aged(w *model) bool {
	p := w.in
	return w.now-p.renewedAt > modelAfter+modelTick && w.now-p.givenAt > 2*modelGrace+modelTick && (p.nextSeenAt == 0 || w.now-p.nextSeenAt > modelGrace+modelTick)
}

// modelKey tells the states apart that can differ in what follows: ages
// instead of moments, and one order of the flights for all.
type modelKey struct {
	gen, jar       generation
	renewed, given Time
	seen           Time
	prev, logins   bool
	left, values   int
	flights        [3]flightKey
}

type flightKey struct {
	phase         phase
	kind, values  int
	gen, base     generation
	age, renewed  Time
	behind, seen  bool
	stale, answer bool
}

func (a flightKey) compare(b flightKey) int {
	return cmp.Or(cmp.Compare(a.phase, b.phase), cmp.Compare(a.kind, b.kind), cmp.Compare(a.age, b.age), cmp.Compare(a.gen.step, b.gen.step),
		cmp.Compare(a.base.step, b.base.step), cmp.Compare(a.renewed, b.renewed), cmp.Compare(a.gen.chain, b.gen.chain))
}

func (x *explorer) key(w *model) modelKey {
	age := func(t Time) Time {
		if t == 0 {
			return -1
		}
		return min(w.now-t, modelAfter+2*modelTick)
	}
	k := modelKey{gen: w.in.gen, jar: w.jarGen, renewed: age(w.in.renewedAt), given: age(w.in.givenAt), seen: age(w.in.nextSeenAt), prev: w.in.prevHash != nil,
		logins: w.logins, left: w.left, values: w.in.data.len()}
	for i := range w.flights {
		f := &w.flights[i]
		fk := flightKey{phase: f.phase, kind: f.kind}
		switch f.phase {
		case sent:
			fk.gen, fk.age = f.asked, w.now-f.since
		case loaded:
			fk.gen, fk.base, fk.behind, fk.renewed = f.s.ticket.gen, f.s.in.gen, f.s.behind, age(f.s.in.renewedAt)
			fk.seen, fk.stale, fk.values = f.s.in.nextSeenAt != 0, f.s.rec.Version != w.rec.Version, f.s.Len()
		case answered:
			fk.gen, fk.answer, fk.age = f.gen, f.answer != "", w.now-f.since
		}
		k.flights[i] = fk
	}
	slices.SortFunc(k.flights[:], flightKey.compare)
	return k
}
