package sessionctl

import (
	"fmt"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// outcome is what became of a session of an import.
type outcome int

const (
	outcomeNew      outcome = iota // was not there; saved, if it was to be
	outcomeThere                   // the same
	outcomeConflict                // another version is there, and was left
	outcomeExpired                 // long ago
	outcomes

	outcomeFailed outcome = -1 // nobody knows
)

// A tally counts the sessions of an import. It is safe for concurrent use.
type tally struct {
	p      *Program
	json   bool
	meter  *meter
	mu     sync.Mutex
	counts [outcomes]int
}

// add counts a session, and names it if it is in conflict.
func (t *tally) add(id core.ID, o outcome) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[o]++
	if o != outcomeConflict {
		return nil
	}
	return t.meter.aside(func() error {
		if t.json {
			return t.p.object(map[string]core.ID{"conflict": id})
		}
		_, err := fmt.Fprintf(t.p.Out, "conflict %v: the store has another version, which stays\n", id)
		return err
	})
}

// summary is the last line of an import.
type summary struct {
	Saved    int  `json:"saved"`
	Missing  int  `json:"missing"` // in the store, and not saved for want of --revive
	There    int  `json:"there"`
	Conflict int  `json:"conflicts"`
	Expired  int  `json:"expired"`
	Complete bool `json:"complete"` // the whole export was gone through
}

func (t *tally) tell(saved, complete bool) error {
	s := summary{There: t.counts[outcomeThere], Conflict: t.counts[outcomeConflict], Expired: t.counts[outcomeExpired], Complete: complete}
	if saved {
		s.Saved = t.counts[outcomeNew]
	} else {
		s.Missing = t.counts[outcomeNew]
	}
	if t.json {
		return t.p.object(s)
	}
	end := ""
	if !complete {
		end = "; incomplete"
	}
	_, err := fmt.Fprintf(t.p.Out, "saved %s; not in the store: %d; there already: %d; conflicts: %d; expired and left out: %d%s\n",
		plural(s.Saved), s.Missing, s.There, s.Conflict, s.Expired, end)
	return err
}
