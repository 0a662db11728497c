package filled

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// enough is how long one side is measured on a verb before the rest of its
// rounds is left out: reading a million sessions to list one user's takes long.
const enough = 12 * time.Second

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

// pass measures the verbs that belong together, in one round of one side, and
// returns the rates: calls a second, or sessions where a call has many. Zero is
// a verb that the side does not have.
type pass struct {
	verbs  []string
	writes bool
	run    func(ctx context.Context, s *side, span time.Duration) ([]float64, error)
}

var passes = []pass{
	{[]string{"load"}, false, loads},
	{[]string{"replace"}, true, saves(false)},
	{[]string{"touch"}, false, saves(true)},
	{[]string{"find"}, false, finds(false)},
	{[]string{"find-1000"}, false, finds(true)},
	{[]string{"insert", "delete", "sweep"}, true, lifecycle},
}

// measure has the sides do every verb in turn, round after round, and returns
// the mean rates by verb and side: a median would leave out what is paid for
// later, in some of the rounds.
func measure(ctx context.Context, p plan, sides []*side) (map[string]map[string]float64, error) {
	rates := map[string]map[string]float64{}
	for _, pass := range passes {
		span := p.span
		if pass.writes {
			span = p.writes
		}
		all := make([][][]float64, len(sides)) // by side and verb
		spent := make([]time.Duration, len(sides))
		for i := range all {
			all[i] = make([][]float64, len(pass.verbs))
		}
		for round := range p.rounds + 1 {
			for i, s := range sides {
				if spent[i] > enough && round > 1 {
					continue
				}
				start := time.Now()
				got, err := pass.run(ctx, s, span)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", pass.verbs, s.name, err)
				}
				spent[i] += time.Since(start)
				for v := range pass.verbs {
					if round > 0 { // the first warms up
						all[i][v] = append(all[i][v], got[v])
					}
				}
			}
		}
		for v, verb := range pass.verbs {
			rates[verb] = map[string]float64{}
			for i, s := range sides {
				rates[verb][s.name] = mean(all[i][v])
			}
		}
	}
	return rates, nil
}

// during has callers call until the span is over, each at least once, and
// returns how much of what call counts was done in a second.
func during(n int, span time.Duration, call func(caller int) (int, error)) ([]float64, error) {
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
	return []float64{float64(done.Load()) / time.Since(start).Seconds()}, err
}

func loads(ctx context.Context, s *side, span time.Duration) ([]float64, error) {
	return during(s.callers, span, func(c int) (int, error) {
		ids := make([]core.ID, s.batch)
		for i := range ids {
			ids[i] = s.record(s.any(c, s.callers)).ID
		}
		return len(ids), s.load(ctx, ids)
	})
}

func saves(touch bool) func(context.Context, *side, time.Duration) ([]float64, error) {
	return func(ctx context.Context, s *side, span time.Duration) ([]float64, error) {
		return during(s.callers, span, func(c int) (int, error) {
			batch := make([]hosts.Saving, s.batch)
			for i := range batch {
				n := s.any(c, s.callers)
				r, prev := s.next(n, touch)
				batch[i] = hosts.Saving{Record: r, Prev: prev, Touch: touch}
				s.versions[n] = r.Version
			}
			return len(batch), s.save(ctx, batch)
		})
	}
}

// finds lists the sessions of one user, of few or of a thousand.
func finds(many bool) func(context.Context, *side, time.Duration) ([]float64, error) {
	return func(ctx context.Context, s *side, span time.Duration) ([]float64, error) {
		if s.list == nil {
			return []float64{0}, nil
		}
		n := s.listers
		if n == 0 {
			n = s.callers
		}
		return during(n, span, func(int) (int, error) {
			tenant, user, limit := "tenant-0", "crowd", crowd
			for !many && (user == "crowd" || user == "") {
				tenant, user = s.owner(s.any(0, 1))
				limit = 100
			}
			found, err := s.list(ctx, tenant, user, limit)
			if err == nil && found == 0 {
				err = fmt.Errorf("user %q of tenant %q has no session", user, tenant)
			}
			return 1, err
		})
	}
}

// lifecycle inserts for a span, deletes half of that or as much as a span allows,
// and sweeps the rest: the store stays as full as it was.
func lifecycle(ctx context.Context, s *side, span time.Duration) ([]float64, error) {
	made := make([][]core.ID, s.callers)
	inserts, err := during(s.callers, span, func(c int) (int, error) {
		batch := make([]hosts.Saving, s.batch)
		for i := range batch {
			batch[i].Record = s.fresh()
			made[c] = append(made[c], batch[i].Record.ID)
		}
		return len(batch), s.save(ctx, batch)
	})
	if err != nil {
		return nil, err
	}
	half := make([]int, s.callers)
	for c := range made {
		half[c] = (len(made[c]) + 1) / 2
	}
	remove := func(c int) (int, error) {
		n := min(s.batch, half[c])
		ids := made[c][:n]
		made[c], half[c] = made[c][n:], half[c]-n
		if n == 0 {
			return 0, nil
		}
		return n, s.remove(ctx, ids)
	}
	deletes, err := during(s.callers, span, remove)
	if err != nil {
		return nil, err
	}
	if s.sweep == nil {
		for c := range made {
			half[c] = len(made[c])
		}
		_, err = during(s.callers, time.Hour, remove)
		return []float64{inserts[0], deletes[0], 0}, err
	}
	sweeps, err := during(1, time.Hour, func(int) (int, error) { return s.sweep(ctx, s.soon(), sweepPage) })
	return []float64{inserts[0], deletes[0], sweeps[0]}, err
}

// grouped writes a number for people.
func grouped(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
