package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// verbs of the tables, in their order, and sides of them.
var (
	filledVerbs = []struct{ name, sentence string }{
		{"insert", "insert"}, {"replace", "replace"}, {"load", "load"}, {"touch", "touch"}, {"delete", "delete"},
		{"find", "find a user's 1 to 5"}, {"find-1000", "find a user's 1,000"}, {"sweep", "sweep, sessions"},
	}
	filledSides = []string{"empty", "filled", "peer", "raw", "schema1"}
)

// store is what was measured of one backend while it was full.
type store struct {
	name, peer string
	notes      []string
	rates      map[string]map[string][]float64 // by verb and side
}

// filled gathers the stores from lines that begin with "filled": its name, and
// "peer" and who that is, "note" and a sentence, or "rate" with verb, side and
// calls a second.
type filled struct{ stores []*store }

// take reads a line; ok is whether it is one of these.
func (f *filled) take(fields []string) (ok bool, err error) {
	if len(fields) < 4 || fields[0] != "filled" {
		return false, nil
	}
	s := f.store(fields[1])
	switch what := fields[2]; {
	case what == "peer":
		s.peer = strings.Join(fields[3:], " ")
	case what == "note":
		s.notes = append(s.notes, strings.Join(fields[3:], " "))
	case what == "rate" && len(fields) == 6:
		rate, err := strconv.ParseFloat(fields[5], 64)
		if err != nil {
			return true, fmt.Errorf("not a rate: %q", strings.Join(fields, " "))
		}
		verb := s.rates[fields[3]]
		if verb == nil {
			verb = map[string][]float64{}
			s.rates[fields[3]] = verb
		}
		verb[fields[4]] = append(verb[fields[4]], rate)
	default:
		return true, fmt.Errorf("not a line of a filled store: %q", strings.Join(fields, " "))
	}
	return true, nil
}

func (f *filled) store(name string) *store {
	for _, s := range f.stores {
		if s.name == name {
			return s
		}
	}
	s := &store{name: name, rates: map[string]map[string][]float64{}}
	f.stores = append(f.stores, s)
	return s
}

func (f *filled) write(w io.Writer) {
	if len(f.stores) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Every verb, of stores that are full\n\nCalls a second by 64 callers at once, measured in turn, all rounds together. An empty store has what its note says: there has to be\n"+
		"something to load. The raw driver works in batches of 64, on a table like ours and on that of schema version 1; nobody\nwaits for an answer of their own there. "+
		"scs finds a user's sessions by reading all, and sweeps in one statement; our sweep rests as long as it works.\n")
	for _, s := range f.stores {
		s.write(w)
	}
}

func (s *store) write(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n", s.name)
	for _, note := range s.notes {
		fmt.Fprintln(w, note)
	}
	raw := s.rate("insert", "raw") > 0
	head, rule := "| verb | empty | full | full of empty | "+s.peer+" | of the peer's |", "|---|---|---|---|---|---|"
	if raw {
		head, rule = head+" raw driver | of the raw driver's | raw driver, schema 1 |", rule+"---|---|---|"
	}
	fmt.Fprintf(w, "\n%s\n%s\n", head, rule)
	for _, verb := range filledVerbs {
		if s.rate(verb.name, "filled") == 0 {
			continue // it has no such verb
		}
		rates := map[string]float64{}
		for _, side := range filledSides {
			rates[side] = s.rate(verb.name, side)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |", verb.sentence, grouped(rates["empty"]), grouped(rates["filled"]),
			share(rates["filled"], rates["empty"]), grouped(rates["peer"]), share(rates["filled"], rates["peer"]))
		if raw {
			fmt.Fprintf(w, " %s | %s | %s |", grouped(rates["raw"]), share(rates["filled"], rates["raw"]), grouped(rates["schema1"]))
		}
		fmt.Fprintln(w)
	}
}

// rate is the median of the runs, zero where there is none.
func (s *store) rate(verb, side string) float64 {
	values := slices.Sorted(slices.Values(s.rates[verb][side]))
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}

func share(a, b float64) string {
	if a == 0 || b == 0 {
		return ""
	}
	return grouped(a / b)
}

// grouped writes three digits that count, and commas: 17,300.
func grouped(v float64) string {
	if v == 0 {
		return ""
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	text := strconv.FormatFloat(rounded, 'f', -1, 64)
	whole, rest, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return whole
}
