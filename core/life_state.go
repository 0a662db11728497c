package core

// Rule 1: which verb a session allows, and what it is afterwards, stands in
// the table below and nowhere else.
//
// Rule 2: the table knows no clock, no cookie and no store. A stored session
// that has run out or whose cookie was superseded never becomes a Session:
// Resume refuses it.

// State is where a Session is in its life.
type State uint8

// The states.
const (
	StateNew    State = iota // nothing is stored
	StateActive              // stored, and live when it was loaded
	StateEnded               // for good
	states
)

// A verb is what a request does to its session.
type verb uint8

const (
	verbChange  verb = iota // of a value
	verbLogin               // of a user
	verbRenew               // of the secret, at a change of privilege
	verbRefresh             // of the deadline
	verbEnd                 // logout
	verbStore               // the commit has been stored
	verbs
)

const refused = states // no state: the verb is not allowed

var transitions = [states][verbs]State{
	//            change       login        renew        refresh      end         store
	StateNew:    {StateNew, StateNew, StateNew, StateNew, StateEnded, StateActive},
	StateActive: {StateActive, StateActive, StateActive, StateActive, StateEnded, StateActive},
	StateEnded:  {refused, refused, refused, refused, StateEnded, refused},
}

var (
	stateNames = [states]string{"new", "active", "ended"}
	verbNames  = [verbs]string{"change", "login", "renew", "refresh", "end", "store"}
)

// String returns the state in a word.
func (s State) String() string {
	if s < states {
		return stateNames[s]
	}
	return "unlisted"
}

// step follows the table, or returns ErrEnded and leaves the state.
func (s *State) step(v verb) error {
	next := transitions[*s][v]
	if next == refused {
		return ErrEnded
	}
	*s = next
	return nil
}
