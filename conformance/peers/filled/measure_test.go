package filled

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// patience is how many times longer than planned one side may be measured on a
// verb, before the rest of its rounds is left out: to list one user's sessions by
// reading a million takes long.
const patience = 4

// plan is how much is stored and for how long each verb is measured.
type plan struct {
	sessions, rounds int
	span             time.Duration // of one verb of one side in a round
	writes           time.Duration // the same of inserts and changes, which are paid for in part later
}

// side is one of those who are measured beside each other.
type side struct {
	name string
	*stock
	*engine
}

// beside is the same stock in another place.
func (s *side) beside(name string, e *engine) *side {
	t := newStock(s.size)
	t.began, t.stored = s.began, s.stored
	copy(t.versions, s.versions)
	return &side{name: name, stock: t, engine: e}
}

// work is what was done, and in which time.
type work struct {
	calls int // or sessions, where a call has many
	took  time.Duration
}

// rate is that of a second; zero where nothing was done.
func (w work) rate() float64 {
	if w.took == 0 {
		return 0
	}
	return float64(w.calls) / w.took.Seconds()
}

// pass does the verbs that belong together for one side, and tells of each what
// was done: nothing, where the side does not have it.
type pass struct {
	verbs  []string
	writes bool
	run    func(ctx context.Context, s *side, span time.Duration) ([]work, error)
}

// measure has the sides do every verb and returns the rates by verb and side.
func (p plan) measure(ctx context.Context, sides []*side) (map[string]map[string]float64, error) {
	rates := map[string]map[string]float64{}
	for _, pass := range passes {
		done, err := p.inTurn(ctx, pass, sides)
		if err != nil {
			return nil, err
		}
		for v, verb := range pass.verbs {
			rates[verb] = map[string]float64{}
			for i, s := range sides {
				rates[verb][s.name] = done[i][v].rate()
			}
		}
	}
	return rates, nil
}

// inTurn has the sides do the verbs of a pass, round after round, and adds up what
// each did: a median would leave out what is paid for later, in some rounds.
func (p plan) inTurn(ctx context.Context, pass pass, sides []*side) ([][]work, error) {
	span := p.span
	if pass.writes {
		span = p.writes
	}
	enough := time.Duration(p.rounds) * span * patience
	spent := make([]time.Duration, len(sides))
	all := make([][]work, len(sides)) // by side and verb
	for i := range all {
		all[i] = make([]work, len(pass.verbs))
	}
	for round := range p.rounds + 1 {
		for i, s := range sides {
			if spent[i] > enough {
				continue
			}
			start := time.Now()
			done, err := pass.run(ctx, s, span)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", pass.verbs, s.name, err)
			}
			spent[i] += time.Since(start)
			if round == 0 && spent[i] <= enough {
				continue // that warmed up
			}
			for v, w := range done {
				all[i][v].calls += w.calls
				all[i][v].took += w.took
			}
		}
	}
	return all, nil
}

// during has callers call until the span is over, each at least once, and counts
// what call says that it did.
func during(n int, span time.Duration, call func(caller int) (int, error)) (work, error) {
	var done atomic.Int64
	start := time.Now()
	err := together(n, func(c int) error {
		for {
			n, err := call(c)
			done.Add(int64(n))
			if err != nil || n == 0 || time.Since(start) > span {
				return err
			}
		}
	})
	return work{calls: int(done.Load()), took: time.Since(start)}, err
}

// only is what a pass of one verb returns.
func only(w work, err error) ([]work, error) { return []work{w}, err }

// grouped writes a number for people.
func grouped(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
