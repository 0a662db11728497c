package conformance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var endCases = []testCase{
	{"delete", "Delete is unconditional and ends that session only; Load then returns core.ErrNotFound.", deleteOne},
	{"delete-missing", "Delete of a missing session is no error, also when it is repeated.", deleteMissing},
	{"ended-is-new", "An ID that has ended is new to an insert: also the same Save, which is acknowledged once more, is there then.", endedIsNew},
	{"ended-stays-ended", "A session that has ended is never written back by a request that began before the end, in any order of the calls.", endedStaysEnded},
	{"schedules", "In every order of two clients' calls each answer is that of one store doing one call after the other: no change is lost.", updatesInAnyOrder},
}

func deleteOne(p *probe) {
	keep, end := p.record(), p.record()
	p.save(p.a, keep, core.NoVersion)
	p.save(p.a, end, core.NoVersion)
	is := p.next(end)
	p.save(p.b, is, end.Version)
	p.delete(p.a, end.ID)
	p.gone(p.a, end.ID)
	p.gone(p.b, end.ID)
	p.conflict(p.a, p.next(is), is.Version)
	p.conflict(p.b, is, end.Version)
	p.gone(p.a, end.ID)
	p.holds(p.b, keep)
}

func deleteMissing(p *probe) {
	p.delete(p.a, p.id())
	r := p.record()
	p.save(p.a, r, core.NoVersion)
	for i := range 3 {
		p.delete(p.handle(i), r.ID)
		p.gone(p.handle(i+1), r.ID)
	}
}

// endedIsNew catches a store that remembers beside the record what it has done,
// as by a token that the engine takes for each request.
func endedIsNew(p *probe) {
	for i := range 4 {
		s, other := p.handle(i), p.handle(i+1)
		first := p.record()
		second := p.next(first)
		for range 2 {
			for _, err := range []error{p.tryEither(i/2, s, first, core.NoVersion), p.tryEither(i/2, s, second, first.Version)} {
				if err != nil {
					p.fail("Save of a session whose ID has ended is refused: %v", err)
				}
			}
			p.holds(other, second)
			p.delete(s, first.ID)
			p.gone(other, first.ID)
			if err := p.tryEither(i/2, s, second, first.Version); !errors.Is(err, core.ErrConflict) {
				p.fail("Save of %s, repeated after the end, returns %v, want core.ErrConflict", describe(second, first.Version), err)
			}
			p.gone(other, first.ID)
		}
		if err := p.tryEither(i/2, other, p.next(first), core.NoVersion); err != nil {
			p.fail("Save of another session under an ID that has ended is refused: %v", err)
		}
	}
}

// The programs of the clients: l loads, s saves on top of the last record
// that this client has seen, d deletes.
func endedStaysEnded(p *probe) {
	p.allOrders("lsls", "ld")
	p.allOrders("lsls", "lsd")
	p.allOrders("lsd", "lsd")
}

func updatesInAnyOrder(p *probe) {
	p.allOrders("lsls", "lsls")
	p.allOrders("lss", "lls")
}

// allOrders plays each way of merging two programs.
func (p *probe) allOrders(one, two string) {
	var merge func(order []int, left [2]int)
	merge = func(order []int, left [2]int) {
		if left == [2]int{} {
			p.play([2]string{one, two}, order)
			return
		}
		for c := range left {
			if left[c] > 0 {
				rest := left
				rest[c]--
				merge(append(order[:len(order):len(order)], c), rest)
			}
		}
	}
	merge(nil, [2]int{len(one), len(two)})
}

// play runs the programs in the given order of clients, one call after the
// other, and holds every answer to a model: the one record, or none.
func (p *probe) play(programs [2]string, order []int) {
	stored := p.record()
	there := true
	p.save(p.a, stored, core.NoVersion)
	var known [2]core.Record
	var trace []string
	for _, c := range order {
		verb := programs[c][0]
		programs[c] = programs[c][1:]
		trace = append(trace, fmt.Sprintf("%d%c", c+1, verb))
		p.at = "\nafter " + strings.Join(trace, " ") + " (client and call: l load, s save, d delete)"
		s := p.handle(c)
		switch {
		case verb == 'd':
			p.delete(s, stored.ID)
			there = false
		case verb == 'l':
			p.shows(s, stored, there)
			if there {
				known[c] = stored
			}
		case known[c].Version == core.NoVersion:
			// It came after the end and has seen no session that it could save.
		case there && known[c].Version == stored.Version:
			stored = p.next(stored)
			p.save(s, stored, known[c].Version)
			known[c] = stored
		default:
			p.conflict(s, p.next(stored), known[c].Version)
		}
	}
	p.shows(p.a, stored, there)
	p.shows(p.b, stored, there)
	p.at = ""
}

func (p *probe) shows(s hosts.Store, r core.Record, there bool) {
	if there {
		p.holds(s, r)
	} else {
		p.gone(s, r.ID)
	}
}
