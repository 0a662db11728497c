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
		case porcupine.Illegal:
			return fmt.Errorf("session %v: %w:\n%s", id, ErrNotLinear, tell(ops))
		case porcupine.Unknown:
			return fmt.Errorf("session %v: %w: %d calls", id, ErrUndecided, len(ops))
		}
	}
	return nil
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

// tell lists operations in the order of their calls.
func tell(ops []porcupine.Operation) string {
	ops = slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	names := map[core.Version]int{0: 0}
	name := func(v core.Version) int {
		if _, known := names[v]; !known {
			names[v] = len(names)
		}
		return names[v]
	}
	for _, o := range ops[max(0, len(ops)-shown):] {
		op := o.Input.(Op)
		until := "never"
		if op.Return != math.MaxInt64 {
			until = fmt.Sprint((op.Return - ops[0].Call) / 1000)
		}
		fmt.Fprintf(&b, "%8d to %8s µs %s: %s", (op.Call-ops[0].Call)/1000, until, op.Client, op.Verb)
		switch {
		case op.Verb == Save:
			fmt.Fprintf(&b, " %d over %d", name(op.State.Version), name(op.Prev))
		case op.Verb == Load && op.Answer == Done:
			fmt.Fprintf(&b, " finds %d", name(op.State.Version))
		}
		fmt.Fprintf(&b, ": %s\n", cmp.Or(op.Answer, "unknown"))
	}
	return b.String()
}
