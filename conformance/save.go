package conformance

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var saveCases = []testCase{
	{"fresh", "Open gives a store on a fresh, empty namespace.", fresh},
	{"insert-taken", "Save without prev inserts, and the ID must be new; otherwise it returns core.ErrConflict and nothing is changed.", insertTaken},
	{"replace-prev", "Save with prev replaces exactly the version prev.", replacePrev},
	{"replace-wrong-prev", "When the stored version is not prev, Save returns core.ErrConflict and nothing is changed.", replaceWrongPrev},
	{"replace-missing", "Save with prev never inserts: for a missing record it returns core.ErrConflict.", replaceMissing},
	{"save-repeated", "Save is idempotent: when the stored version is already r.Version it has succeeded.", saveRepeated},
	{"save-repeated-late", "A Save that is repeated after a later one is refused, and nothing is changed.", saveRepeatedLate},
	{"lost-answer", "A Save whose answer was lost and which is sent again is applied once.", lostAnswer},
	{"bounds", "A record outside its bounds (Record.Check) is refused, not as a conflict, and nothing is stored.", bounds},
	{"bounds-named", "A record that fails Record.Check is refused with the error of the check.", boundsNamed},
	{"save-leaves-bytes", "Save leaves the record as it was handed over: its bytes, and those behind their end, are not the store's to write.", saveLeavesBytes},
	{"touch", "A Save that only notes a use inserts, replaces, conflicts and repeats like any other, and is seen once it is acknowledged.", touch},
}

// fresh uses the same ID in each run; no other case sweeps it away.
func fresh(p *probe) {
	r := p.record()
	r.ExpiresAt += 300 * core.Day
	p.gone(p.a, r.ID)
	p.save(p.a, r, core.NoVersion)
}

func insertTaken(p *probe) {
	for _, first := range []core.Record{p.record(), p.expired()} {
		p.save(p.a, first, core.NoVersion)
		p.conflict(p.b, p.next(first), core.NoVersion)
		p.holds(p.a, first)
		p.holds(p.b, first)
	}
}

func replacePrev(p *probe) {
	was := p.record()
	other := p.record()
	p.save(p.a, was, core.NoVersion)
	p.save(p.a, other, core.NoVersion)
	for i := range 10 {
		is := p.next(was)
		is.SeenAt += core.Time(i)
		is.ExpiresAt += core.Time(2 * i)
		is.User = []string{"", "bob", "alice"}[i%3]
		is.Sealed = sealed(is.Version, 3000*(9-i))
		p.save(p.handle(i), is, was.Version)
		p.holds(p.handle(i+1), is)
		was = is
	}
	p.holds(p.b, other)

	was = p.expired()
	p.save(p.a, was, core.NoVersion)
	for i, expiresAt := range []core.Time{was.ExpiresAt, p.soon} {
		is := p.next(was)
		is.ExpiresAt = expiresAt
		p.save(p.handle(i+1), is, was.Version)
		p.holds(p.handle(i), is)
		was = is
	}
}

func replaceWrongPrev(p *probe) {
	old := p.record()
	p.save(p.a, old, core.NoVersion)
	now := p.next(old)
	// A version kept in a float loses its low bits, one kept in 32 bits its high ones.
	now.Version = 1<<62 | 1<<31 | 3
	p.save(p.a, now, old.Version)
	next := p.next(now)
	wrong := []core.Version{
		old.Version, next.Version, 1, 3, 1<<63 - 1, now.Version - 1, now.Version + 1,
		now.Version ^ 1<<31, now.Version ^ 1<<62, now.Version ^ 1<<32,
	}
	for i, prev := range wrong {
		p.conflict(p.handle(i), next, prev)
		p.holds(p.handle(i+1), now)
	}
	// No version has the sign bit; what matters is that it matches nothing.
	if err := p.try(p.a, next, now.Version|1<<63); err == nil {
		p.fail("Save with prev %d succeeds, the stored version is %d", now.Version|1<<63, now.Version)
	}
	p.holds(p.a, now)
}

func replaceMissing(p *probe) {
	r := p.record()
	p.conflict(p.a, r, p.version())
	p.conflict(p.a, r, r.Version)
	p.gone(p.a, r.ID)
	p.gone(p.b, r.ID)
}

func saveRepeated(p *probe) {
	first := p.record()
	for i := range 3 {
		p.save(p.handle(i), first, core.NoVersion)
	}
	second := p.next(first)
	for i := range 3 {
		p.save(p.handle(i), second, first.Version)
		p.holds(p.handle(i+1), second)
	}
	// The stored version alone decides, whatever the caller believes.
	p.save(p.a, second, p.version())
	p.save(p.a, second, core.NoVersion)
	p.holds(p.a, second)
}

func saveRepeatedLate(p *probe) {
	first := p.record()
	second := p.next(first)
	third := p.next(second)
	p.save(p.a, first, core.NoVersion)
	p.save(p.a, second, first.Version)
	p.save(p.a, third, second.Version)
	p.conflict(p.b, first, core.NoVersion)
	p.conflict(p.b, second, first.Version)
	p.save(p.b, third, second.Version)
	p.holds(p.b, third)
}

// lostAnswer counts in Sealed. Every first answer is lost; before every other
// repetition somebody else adds one as well.
func lostAnswer(p *probe) {
	lossy := Faulty(p.a, func(call int, _ Verb) Fault {
		if call%2 == 0 {
			return LoseAnswer
		}
		return Pass
	})
	was := counted(p.record(), 0)
	p.save(p.a, was, core.NoVersion)
	total := uint64(0)
	for i := range 20 {
		is := counted(p.next(was), total+1)
		if err := p.try(lossy, is, was.Version); !errors.Is(err, hosts.ErrUnavailable) {
			p.fail("Save %d returns %v, want hosts.ErrUnavailable of the kit", i, err)
		}
		total++
		last := is
		if i%2 == 1 {
			last = counted(p.next(is), total+1)
			p.save(p.b, last, is.Version)
			total++
			p.conflict(lossy, is, was.Version)
		} else {
			p.save(lossy, is, was.Version)
		}
		p.holds(p.b, last)
		was = last
	}
}

func counted(r core.Record, n uint64) core.Record {
	r.Sealed = binary.BigEndian.AppendUint64(nil, n)
	return r
}

func bounds(p *probe) {
	stored := p.record()
	p.save(p.a, stored, core.NoVersion)
	for what, spoil := range outOfBounds {
		for _, prev := range []core.Version{core.NoVersion, stored.Version} {
			r := p.record()
			if prev != core.NoVersion {
				r.ID = stored.ID
			}
			spoil(&r)
			if r.Check() == nil {
				p.fail("the kit is wrong: %s is within bounds", what)
			}
			if err := p.try(p.a, r, prev); err == nil || errors.Is(err, core.ErrConflict) {
				p.fail("Save of a record with %s returns %v, want an error that is no conflict", what, err)
			}
			if prev == core.NoVersion && !r.ID.IsZero() {
				p.gone(p.b, r.ID)
			}
			p.holds(p.b, stored)
		}
	}
}

func boundsNamed(p *probe) {
	for what, spoil := range outOfBounds {
		r := p.record()
		spoil(&r)
		if err := p.try(p.a, r, core.NoVersion); !errors.Is(err, r.Check()) {
			p.fail("Save of a record with %s returns %v, want an error that wraps %q", what, err, r.Check())
		}
	}
}

// saveLeavesBytes hands over bytes with room behind them, as a buffer has.
func saveLeavesBytes(p *probe) {
	saves := p.guarded(20)
	for _, s := range saves {
		if err := p.a.Save(p.ctx, s.Record, s.Prev); err != nil {
			p.fail("Save of %s: %v", describe(s.Record, s.Prev), err)
		}
	}
	p.untouched(saves)
}

const guard = 0xa7

// guarded returns n inserts, whose bytes a guard follows.
func (p *probe) guarded(n int) []hosts.Saving {
	saves := make([]hosts.Saving, n)
	for i := range saves {
		r := p.record()
		buffer := bytes.Repeat([]byte{guard}, len(r.Sealed)+64)
		copy(buffer, r.Sealed)
		r.Sealed = buffer[:len(r.Sealed)]
		saves[i].Record = r
	}
	return saves
}

// untouched says that nobody has written to what guarded returned, and that it
// is stored.
func (p *probe) untouched(saves []hosts.Saving) {
	for _, s := range saves {
		r := s.Record
		if !bytes.Equal(r.Sealed, sealed(r.Version, len(r.Sealed))) {
			p.fail("the store has written to the bytes that it was handed")
		}
		if behind := r.Sealed[len(r.Sealed):cap(r.Sealed)]; bytes.Count(behind, []byte{guard}) != len(behind) {
			p.fail("the store has written behind the bytes that it was handed")
		}
		p.holds(p.b, r)
	}
}

func touch(p *probe) {
	plain := p.ctx
	p.ctx = hosts.TouchContext(plain)
	is := p.record()
	p.save(p.a, is, core.NoVersion)
	p.holds(p.b, is)
	for i := range 20 {
		was := is
		is = p.next(was)
		is.SeenAt++
		is.ExpiresAt++
		p.save(p.handle(i), is, was.Version)
		p.save(p.handle(i), is, was.Version)
		p.conflict(p.handle(i), p.next(is), was.Version)
		p.conflict(p.handle(i), p.next(is), core.NoVersion)
		p.holds(p.handle(i+1), is)
	}
	p.delete(p.a, is.ID)
	p.conflict(p.a, p.next(is), is.Version)
	p.ctx = plain
	p.gone(p.b, is.ID)
}
