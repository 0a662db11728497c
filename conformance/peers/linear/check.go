package linear

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rockstar-web/sessions/core"
)

// Limits of a check.
const (
	CheckLimit = time.Minute // for one history
	shown      = 60          // operations of a session that an error lists
)

// Errors of Check.
var (
	// ErrNotLinear: no order of the calls explains the answers.
	ErrNotLinear = errors.New("history is not linearizable")
	// ErrUndecided: CheckLimit was over before an order was found, or that
	// there is none. Fewer calls of one session help.
	ErrUndecided = errors.New("history is too long to be judged")
)

// Check returns nil when one order of the calls, each at some moment between
// its call and its return, explains all answers. Calls whose answer is not
// known may have happened at any later moment, or not. Else the error names a
// session and what was done to it.
func Check(history []Op) error {
	for id, ops := range byID(history) {
		switch porcupine.CheckOperationsTimeout(model, ops, CheckLimit) {
		case porcupine.Illegal: // the longest order is looked for only then: it costs more than the answer
			_, info := porcupine.CheckOperationsVerbose(model, ops, CheckLimit)
			return fmt.Errorf("session %v: %w; beside what is marked an order explains all of it:\n%s", id, ErrNotLinear, tell(ops, unexplained(ops, info)))
		case porcupine.Unknown:
			return fmt.Errorf("session %v: %w: %d calls", id, ErrUndecided, len(ops))
		}
	}
	return nil
}

// unexplained returns the calls that the longest order found has not.
func unexplained(ops []porcupine.Operation, info porcupine.LinearizationInfo) map[Op]bool {
	var longest []porcupine.Operation
	for _, order := range info.PartialLinearizationsOperations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	left := map[Op]bool{}
	for _, o := range ops {
		left[o.Input.(Op)] = true
	}
	for _, o := range longest {
		delete(left, o.Input.(Op))
	}
	return left
}

// byID takes a history apart: sessions do not touch each other. Calls that
// changed nothing and saw nothing are left out.
func byID(history []Op) map[core.ID][]porcupine.Operation {
	all := map[core.ID][]porcupine.Operation{}
	clients := map[string]int{}
	for _, op := range history {
		if op.Answer == Refused || op.Answer == Unknown && op.Verb == Load {
			continue
		}
		if _, known := clients[op.Client]; !known {
			clients[op.Client] = len(clients)
		}
		all[op.ID] = append(all[op.ID], porcupine.Operation{ClientId: clients[op.Client], Input: op, Call: op.Call, Return: op.Return})
	}
	return all
}

// model is the store of one session. An unknown call happens if it can, also at
// the end, when nobody looks any more: which is as if it had not happened.
var model = porcupine.Model{
	Init: func() any { return State{} },
	Step: func(state, input, _ any) (bool, any) { return input.(Op).step(state.(State)) },
}

func (op Op) step(s State) (ok bool, next State) {
	switch op.Verb {
	case Load:
		if op.Answer == Missing {
			return s == State{}, s
		}
		return s == op.State, s
	case Delete:
		return op.Answer == Done || op.Answer == Unknown, State{}
	}
	again := s.Version == op.State.Version
	fits := s.Version == op.Prev
	switch {
	case op.Answer == Conflict:
		return !again && !fits, s
	case op.Answer != Done && op.Answer != Unknown:
		return false, s
	case again:
		return true, s
	case fits:
		return true, op.State
	}
	return op.Answer == Unknown, s
}

// tell lists operations in the order of their calls, from before the first that
// is marked.
func tell(ops []porcupine.Operation, marked map[Op]bool) string {
	ops = slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	first := slices.IndexFunc(ops, func(o porcupine.Operation) bool { return marked[o.Input.(Op)] })
	var b strings.Builder
	names := map[core.Version]int{0: 0}
	name := func(v core.Version) int {
		if _, known := names[v]; !known {
			names[v] = len(names)
		}
		return names[v]
	}
	for i, o := range ops {
		op := o.Input.(Op)
		mark, until := " ", "never"
		if marked[op] {
			mark = "!"
		}
		if op.Return != math.MaxInt64 {
			until = fmt.Sprint((op.Return - ops[0].Call) / 1000)
		}
		text := fmt.Sprintf("%s %8d to %8s µs %s: %s", mark, (op.Call-ops[0].Call)/1000, until, op.Client, op.Verb)
		switch {
		case op.Verb == Save:
			text += fmt.Sprintf(" %d over %d", name(op.State.Version), name(op.Prev))
		case op.Verb == Load && op.Answer == Done:
			text += fmt.Sprintf(" finds %d", name(op.State.Version))
		}
		if pending := op.Return == math.MaxInt64; i >= first-shown/2 && i < first+shown/2 || pending && i < first {
			fmt.Fprintf(&b, "%s: %s\n", text, cmp.Or(op.Answer, "unknown"))
		}
	}
	return b.String()
}
