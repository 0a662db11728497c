// Package filled measures the stores on every verb while they hold as many
// sessions as users have: empty and filled, beside a peer that holds as many,
// and for SQL beside the raw driver on a table like ours and on that of schema 1.
//
//	BENCH_SESSIONS=100000 go test -run '^$' -bench Filled/sqlite$ -benchtime 1x -timeout 60m ./filled
package filled

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
)

const (
	few          = 4_000 // sessions of an empty store: there has to be something to load
	fewByDefault = 2_000 // of a filled one where BENCH_SESSIONS does not say how many
)

// BenchmarkFilled is measured once, in rounds of its own.
func BenchmarkFilled(b *testing.B) {
	p := plan{sessions: fewByDefault, rounds: 7, span: 300 * time.Millisecond, writes: 700 * time.Millisecond}
	if text := os.Getenv("BENCH_SESSIONS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(b, err, "BENCH_SESSIONS is a number of sessions")
		require.GreaterOrEqual(b, n, fewByDefault, "BENCH_SESSIONS")
		p.sessions = n
	}
	for _, k := range backends {
		b.Run(k.name, func(b *testing.B) {
			if b.N == 1 {
				k.measure(b, p)
			}
		})
	}
}

// TestFilled shows that the benchmark runs, with every backend and verb.
func TestFilled(t *testing.T) {
	for _, k := range backends {
		t.Run(k.name, func(t *testing.T) {
			rates := k.measure(t, plan{sessions: fewByDefault, rounds: 1, span: time.Millisecond, writes: time.Millisecond})
			for _, verb := range []string{"insert", "replace", "touch", "load", "delete", "find", "find-1000"} {
				require.Positive(t, rates[verb]["empty"], verb)
				require.Positive(t, rates[verb]["filled"], verb)
			}
			for _, verb := range []string{"insert", "replace", "touch", "load", "delete"} {
				require.Positive(t, rates[verb]["peer"], verb)
				require.Equal(t, k.promised, rates[verb]["raw"] > 0, verb)
				require.Equal(t, k.promised, rates[verb]["schema1"] > 0, verb)
			}
		})
	}
}

func (k backend) measure(b testing.TB, p plan) map[string]map[string]float64 {
	n := p.sessions
	if k.most > 0 {
		n = min(n, k.most)
	}
	// Its own context, which can be cancelled as that of a request can.
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	fmt.Printf("\n%s: filling\n", k.name)
	l := k.open(b)
	// All in turn: what was filled last would have its pages in memory.
	places := []*engine{l.filled, l.peer}
	for _, e := range []*engine{l.raw, l.schema1} {
		if e != nil {
			places = append(places, e)
		}
	}
	filled, took := k.fill(ctx, b, "filled", n, places...)
	empty, _ := k.fill(ctx, b, "empty", min(few, filled.stored/2), l.empty)
	sides := []*side{filled, empty, filled.beside("peer", l.peer)}
	if l.schema1 != nil {
		sides = append(sides, filled.beside("raw", l.raw), filled.beside("schema1", l.schema1))
	}
	rates, err := p.measure(ctx, sides)
	require.NoError(b, err)
	k.tell(rates, sides, took)
	if l.after != nil {
		l.after(filled)
	}
	return rates
}

// fill fills the places with the same; the side is that of the first.
func (k backend) fill(ctx context.Context, b testing.TB, name string, n int, places ...*engine) (*side, []float64) {
	s := &side{name: name, stock: newStock(n), engine: places[0]}
	took, err := fill(ctx, k.name+", "+name, s.stock, places...)
	require.NoError(b, err)
	return s, took
}

// tell prints what was measured, for the table, and the promises.
func (k backend) tell(rates map[string]map[string]float64, sides []*side, took []float64) {
	tell(k.name, "peer", k.peer)
	stored := float64(sides[0].stored)
	text := fmt.Sprintf("%s sessions, brought by %s a second", grouped(stored), grouped(stored/took[0]))
	if k.bulk {
		text += fmt.Sprintf(" where the raw driver's bulk insert brings %s", grouped(stored/took[2]))
	}
	if sides[0].stored < sides[0].size {
		text += fmt.Sprintf(" (no more in %v)", fillLimit)
	}
	tell(k.name, "note", text+fmt.Sprintf("; %s in the empty one.", grouped(float64(sides[1].stored))))
	for _, pass := range passes {
		for _, verb := range pass.verbs {
			for _, s := range sides {
				tell(k.name, "rate", fmt.Sprintf("%s %s %.4g", verb, s.name, rates[verb][s.name]))
			}
		}
	}
	k.promise("insert-of-empty", rates["insert"], "filled", "empty", 0.6)
	if k.bulk {
		ratio.Print("filled-"+k.name+"-import-of-bulk", took[2]/took[0], 0.5, true)
	}
	if k.promised {
		k.promise("insert-of-raw", rates["insert"], "filled", "raw", 0.6)
		k.promise("insert-of-schema-1", rates["insert"], "raw", "schema1", k.insertGain)
		k.promise("load-of-schema-1", rates["load"], "raw", "schema1", 0.95)
		k.promise("replace-of-schema-1", rates["replace"], "raw", "schema1", 0.95)
	}
}

func (k backend) promise(name string, rates map[string]float64, part, of string, target float64) {
	ratio.Print("filled-"+k.name+"-"+name, rates[part]/rates[of], target, true)
}

// tell prints a line that the table is made from.
func tell(name, what, text string) { fmt.Println("filled", name, what, text) }
