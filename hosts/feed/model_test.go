package feed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// The model tries every order in which things can happen to one session: a process
// with a cache, called B here, and writers elsewhere; their calls, questions and
// answers take any time, and B may stop for any time. Time goes in ticks, for ever:
// what is older than any rule looks at counts as just that old.
//
// What is proven of the states that can be reached:
//
//   - No read that begins after a logout was acknowledged believes the session.
//   - A read believes no record that was replaced, by a save that was acknowledged,
//     a Lease or more before the read began.
//   - A read that begins after a save or delete of B's own was answered believes
//     nothing from before it.
const (
	lease = 2 // ticks, for Lease
	wait  = 3 // for Wait: longer than a Lease
)

// rule is what is built. A mutation changes one thing of it.
type rule struct {
	name string

	lease, wait        int8
	throughAfter       bool // is the moment of the answer, not of the question
	throughFirst       bool // moves before the entries are applied
	recordFirst        bool // is read before through
	noMark             bool // of calls on their way, by an entry
	entryLate          bool // after the acknowledgement
	entryEarly         bool // before the change can be read
	twoQuestions       bool // at once
	gapKeeps           bool // what is cached
	followKeepsCalls   bool // on their way, when B follows again
	believesBeforeMark bool // sets the mark after its first belief
	waitsSinceStored   bool // not since the delete was answered
	markFirst          bool // is read before the delete
	stoppingSkipped    bool // on the way from On to Off
	markLate           bool // of an answer, is read after its entries
	ignoresMark        bool // of answers: B goes on when the mark is not On
	saveKeepsOvertaken bool // answers of B's other calls
	deleteKeepsCalls   bool // of B's own, on their way
	entryKeepsOwn      bool // whatever B has saved itself
	lostAnswerMovesOn  bool // the follower does not report the same once more
}

var built = rule{name: "as built", lease: lease, wait: wait}

// scene says what happens, so that each stays small.
type scene struct {
	name      string
	elsewhere bool // a save elsewhere
	own       int  // saves of B's own
	logout    bool
	ownLogout bool // it may be in B
	marks     bool // begins without the mark; operators move it
	doubts    bool // gaps, lost answers, a follower that is given up and follows again
	stall     int8 // ticks in which a read may stop between its clock and its first look
}

var scenes = []scene{
	{name: "a save elsewhere", elsewhere: true, doubts: true, stall: 1},
	{name: "a logout elsewhere", logout: true, doubts: true, stall: 1},
	{name: "the mark", logout: true, marks: true, doubts: true},
	{name: "a save and a logout elsewhere", elsewhere: true, logout: true},
	{name: "B's own saves", own: 2},
	{name: "a save of B's and one elsewhere", own: 1, elsewhere: true},
	{name: "a save of B's and any logout", own: 1, logout: true, ownLogout: true},
}

// TestModel: no state that can be reached breaks a promise.
func TestModel(t *testing.T) {
	for _, s := range scenes {
		began := time.Now()
		states, broken, trace := explore(built, s)
		t.Logf("%-32s %9d states, %v", s.name, states, time.Since(began).Round(time.Millisecond))
		require.Empty(t, broken, strings.Join(trace, "\n"))
	}
}

// TestModelSeesMutations: each part of the rule is needed.
func TestModelSeesMutations(t *testing.T) {
	mutations := map[string]func(*rule){
		"through is the moment of the answer":                    func(r *rule) { r.throughAfter = true },
		"through moves before the entries are applied":           func(r *rule) { r.throughFirst = true },
		"the record is read before through":                      func(r *rule) { r.recordFirst = true },
		"an entry marks no call that is on its way":              func(r *rule) { r.noMark = true },
		"the entry comes after the acknowledgement":              func(r *rule) { r.entryLate = true },
		"the entry is reported before the change can be read":    func(r *rule) { r.entryEarly = true },
		"a logout does not wait":                                 func(r *rule) { r.wait = 0 },
		"believed at exactly Lease, and a wait of exactly Lease": func(r *rule) { r.lease, r.wait = lease+1, lease },
		"two questions at once":                                  func(r *rule) { r.twoQuestions = true },
		"a gap keeps the cache":                                  func(r *rule) { r.gapKeeps = true },
		"a logout waits since before its delete was answered":    func(r *rule) { r.waitsSinceStored = true },
		"a process has a longer lease":                           func(r *rule) { r.lease = wait + 1 },
		"the mark is read before the delete":                     func(r *rule) { r.markFirst = true },
		"a cache believes before its mark is set":                func(r *rule) { r.believesBeforeMark = true },
		"loads on their way are kept when B follows again":       func(r *rule) { r.followKeepsCalls = true },
		"a save's answer is kept although another overtook it":   func(r *rule) { r.saveKeepsOvertaken = true },
		"a delete of B's own keeps loads on their way":           func(r *rule) { r.deleteKeepsCalls = true },
		"an entry keeps whatever B has saved":                    func(r *rule) { r.entryKeepsOwn = true },
		"a lost answer is not reported again":                    func(r *rule) { r.lostAnswerMovesOn = true },
		"Stopping is skipped":                                    func(r *rule) { r.stoppingSkipped = true },
		"the mark of an answer is read after its entries":        func(r *rule) { r.markLate = true },
		"an answer without the mark is relied on":                func(r *rule) { r.ignoresMark = true },
	}
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			r := built
			mutate(&r)
			states := 0
			for _, s := range scenes {
				if !soak.On() && !r.concerns(s) {
					continue
				}
				n, broken, trace := explore(r, s)
				if states += n; broken != "" {
					t.Logf("%d states until: %s (%s)\n%s", states, broken, s.name, strings.Join(trace, "\n"))
					return
				}
			}
			require.Fail(t, "the model does not see it", "%d states", states)
		})
	}
}

// concerns reports whether what is mutated can happen in a scene. The short form leaves
// out the others.
func (r rule) concerns(s scene) bool {
	switch {
	case r.deleteKeepsCalls:
		return s.ownLogout
	case r.entryKeepsOwn:
		return s.own > 0 && s.elsewhere
	case r.saveKeepsOvertaken:
		return s.own > 0
	}
	return true
}

// explore visits every state that can be reached, the nearest first. It returns how
// many there are, or the first promise that is broken and how it comes about.
func explore(r rule, s scene) (states int, broken string, trace []string) {
	type visit struct {
		state state
		from  int32
		step  string
	}
	e := &explorer{rule: r, scene: s}
	seen := map[state]struct{}{}
	var all []visit
	at := -1
	add := func(next state, step string) {
		if _, ok := seen[next]; !ok {
			seen[next] = struct{}{}
			all = append(all, visit{next, int32(at), step})
		}
	}
	add(e.first(), "the beginning")
	for at = 0; at < len(all); at++ {
		if e.steps(all[at].state, add); e.broken != "" {
			for i := at; i >= 0; i = int(all[i].from) {
				trace = append([]string{all[i].step}, trace...)
			}
			return len(all), e.broken, append(trace, e.broken)
		}
	}
	return len(all), "", nil
}
