package conformance

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// sustain is how long a race goes on that is run again and again: a store that
// looks and then acts, without a lock, may do so within a few nanoseconds.
const sustain = 300 * time.Millisecond

// tryEither is try; where n is odd and the store takes batches, the save is one.
func (p *probe) tryEither(n int, s hosts.Store, r core.Record, prev core.Version) error {
	if n%2 == 1 && offers[hosts.Batcher](s) {
		return p.saveMany(s, []hosts.Saving{{Record: r, Prev: prev}})[0]
	}
	return p.try(s, r, prev)
}

// sustainedCount has savers add to one count as fast as they can: it must be
// as high as they were told.
func (p *probe) sustainedCount() {
	const savers = 4
	r := counted(p.record(), 0)
	p.save(p.a, r, core.NoVersion)
	var versions, acknowledged atomic.Uint64
	over := time.Now().Add(sustain)
	p.together(savers, func(i int) {
		s := p.handle(i / 2)
		for time.Now().Before(over) {
			was, err := s.Load(p.ctx, r.ID)
			if err != nil || len(was.Sealed) != 8 {
				p.fail("Load while others save returns %d bytes and %v, want 8", len(was.Sealed), err)
			}
			is := counted(was, binary.BigEndian.Uint64(was.Sealed)+1)
			is.Version = core.Version(versions.Add(1))
			err = p.tryEither(i, s, is, was.Version)
			if err == nil {
				acknowledged.Add(1)
			} else if !errors.Is(err, core.ErrConflict) {
				p.fail("Save of %s returns %v, want core.ErrConflict", describe(is, was.Version), err)
			}
		}
	})
	p.holdsCount(p.a, r.ID, acknowledged.Load())
	p.holdsCount(p.b, r.ID, acknowledged.Load())
}

func (p *probe) holdsCount(s hosts.Store, id core.ID, want uint64) {
	got, err := s.Load(p.ctx, id)
	if err != nil || len(got.Sealed) != 8 || binary.BigEndian.Uint64(got.Sealed) != want {
		p.fail("after %d acknowledged changes that add one each Sealed is %x and the error %v", want, got.Sealed, err)
	}
}

// sustainedEnds has one client replace its own session without a pause and
// another end it after some saves, in one session after the other.
func (p *probe) sustainedEnds() {
	over := time.Now().Add(sustain)
	for round := 0; round == 0 || time.Now().Before(over); round++ {
		first := p.record()
		first.Version = 1
		p.save(p.a, first, core.NoVersion)
		enough := make(chan struct{})
		var ending, ended atomic.Bool
		p.together(2, func(i int) {
			s := p.handle(i + round/2)
			if i == 1 {
				p.saveOn(round, s, first, enough, &ending, &ended)
				return
			}
			select {
			case <-enough:
			case <-p.ctx.Done():
			}
			ending.Store(true)
			p.delete(s, first.ID)
			ended.Store(true)
		})
		p.gone(p.a, first.ID)
		p.conflict(p.a, p.next(first), first.Version)
		p.gone(p.b, first.ID)
	}
}

// saveOn replaces is again and again, until that is refused because it ends. It
// says when it has done so often enough.
func (p *probe) saveOn(round int, s hosts.Store, is core.Record, enough chan<- struct{}, ending, ended *atomic.Bool) {
	for left := round % 8; ; left-- {
		late := ended.Load()
		next := is
		next.Version++
		switch err := p.tryEither(round, s, next, is.Version); {
		case errors.Is(err, core.ErrConflict) && ending.Load():
			return
		case err != nil:
			p.fail("Save of %s: %v", describe(next, is.Version), err)
		case late:
			p.fail("Save of %s succeeds after an acknowledged Delete", describe(next, is.Version))
		}
		is = next
		if left == 0 {
			close(enough)
		}
	}
}
