package conformance

import (
	"bytes"
	"errors"
	"math"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var recordCases = []testCase{
	{"load-missing", "Load of what was never saved returns core.ErrNotFound.", loadMissing},
	{"load-elsewhere", "Load sees at once what another process has saved or deleted, also where it has looked before.", loadElsewhere},
	{"load-times", "Load returns exactly the times that were saved.", loadTimes},
	{"load-versions", "Load returns exactly the version that was saved, all 63 bits of it.", loadVersions},
	{"load-sealed", "Load returns exactly the sealed bytes that were saved: none, every value, and up to core.MaxSealed.", loadSealed},
	{"load-names", "Load returns exactly the tenant and user that were saved, whatever characters they have.", loadNames},
	{"ids-distinct", "Every ID names its own record: IDs that differ in one bit or only in the case of their text are different sessions.", idsDistinct},
	{"load-expired", "Load returns an expired record too: a store that forgets by itself does so only after ExpiresAt and a retention.", loadExpired},
	{"forget-late", "A backend that forgets by itself goes by the last Save: what was touched in time stays.", forgetLate},
	{"kept-record", "The caller may keep a loaded record: nothing that happens in the store changes it.", keptRecord},
	{"changed-fields", "The caller may change the fields of a loaded record: that changes nothing in the store.", changedFields},
}

func loadMissing(p *probe) {
	p.gone(p.a, p.id())
	p.save(p.a, p.record(), core.NoVersion)
	p.gone(p.a, p.id())
	p.gone(p.b, p.id())
}

func loadElsewhere(p *probe) {
	for range 20 {
		was := p.record()
		is := p.next(was)
		p.gone(p.a, was.ID)
		p.gone(p.b, was.ID)
		p.save(p.a, was, core.NoVersion)
		p.holds(p.b, was)
		p.holds(p.a, was)
		p.save(p.b, is, was.Version)
		p.holds(p.a, is)
		p.holds(p.b, is)
		p.delete(p.a, was.ID)
		p.gone(p.b, was.ID)
		p.gone(p.a, was.ID)
	}
}

// roundTrip saves each record by one handle and then loads all by the other.
func (p *probe) roundTrip(records []core.Record) {
	for _, r := range records {
		p.save(p.a, r, core.NoVersion)
		p.holds(p.a, r)
	}
	for _, r := range records {
		p.holds(p.b, r)
	}
}

func loadTimes(p *probe) {
	var all []core.Record
	for _, at := range []core.Time{0, 1, 999, 1000, -1, 1<<32 + 1, 1<<53 + 1, math.MaxInt64, math.MinInt64} {
		r := p.record()
		r.CreatedAt, r.SeenAt = at, at
		all = append(all, r)
	}
	for _, at := range []core.Time{p.soon + 1, p.soon + 400*core.Day - 1, 1<<53 + 1} {
		r := p.record()
		r.ExpiresAt = at
		all = append(all, r)
	}
	p.roundTrip(all)
}

func loadVersions(p *probe) {
	var all []core.Record
	for _, v := range []core.Version{1, 1<<31 + 1, 1<<32 + 1, 1<<53 + 1, 1<<62 + 1, 1<<63 - 1} {
		r := p.record()
		r.Version = v
		all = append(all, r)
	}
	p.roundTrip(all)
}

func loadSealed(p *probe) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	var all []core.Record
	for _, b := range [][]byte{
		nil, {}, {0}, {0xff}, every, make([]byte, 100), bytes.Repeat([]byte{0xff}, 5000),
		sealed(1, 1<<16), sealed(2, core.MaxSealed),
	} {
		r := p.record()
		r.Sealed = b
		all = append(all, r)
	}
	p.roundTrip(all)
}

func loadNames(p *probe) {
	var all []core.Record
	for _, name := range hostileNames {
		r := p.record()
		r.Tenant = name
		all = append(all, r)
		r = p.record()
		r.User = name
		all = append(all, r)
	}
	p.roundTrip(all)
}

// idsDistinct ends every second one to see that the others stay.
func idsDistinct(p *probe) {
	var all []core.Record
	for _, id := range hostileIDs() {
		r := p.record()
		r.ID = id
		all = append(all, r)
	}
	p.roundTrip(all)
	for i := 0; i < len(all); i += 2 {
		p.delete(p.a, all[i].ID)
	}
	for i, r := range all {
		if i%2 == 0 {
			p.gone(p.b, r.ID)
		} else {
			p.holds(p.b, r)
		}
	}
}

// loadExpired asks for a minute of retention of every store. Long after that,
// one that cannot be swept has nobody else to forget for it.
func loadExpired(p *probe) {
	just := p.record()
	just.ExpiresAt = core.Time(time.Now().UnixMilli()) - 50*core.Second
	p.save(p.a, just, core.NoVersion)
	p.holds(p.b, just)

	long := p.record()
	long.CreatedAt, long.SeenAt, long.ExpiresAt = 1, 2, 3
	p.save(p.a, long, core.NoVersion)
	if offers[hosts.Sweeper](p.a) {
		p.holds(p.b, long)
		return
	}
	got, err := p.b.Load(p.ctx, long.ID)
	if errors.Is(err, core.ErrNotFound) {
		return
	}
	if d := difference(long, got); err != nil || d != "" {
		p.fail("Load of a record that expired long ago returns %v %s, want it or core.ErrNotFound", err, d)
	}
}

// forgetLate touches a record shortly before the least retention would be over,
// and looks when it is. A store that is swept forgets nothing by itself.
func forgetLate(p *probe) {
	if offers[hosts.Sweeper](p.a) {
		return
	}
	const left = 2 * time.Second
	was := p.record()
	was.ExpiresAt = core.Time(time.Now().Add(left).UnixMilli()) - core.Minute
	p.save(p.a, was, core.NoVersion)
	is := p.next(was)
	is.ExpiresAt = p.soon
	p.save(p.b, is, was.Version)
	select {
	case <-time.After(left + left/4):
	case <-p.ctx.Done():
	}
	p.holds(p.a, is)
}

// keptRecord makes the store use freed memory again: same sizes, new owners.
func keptRecord(p *probe) {
	want := p.record()
	p.save(p.a, want, core.NoVersion)
	kept, err := p.a.Load(p.ctx, want.ID)
	if err != nil {
		p.fail("Load: %v", err)
	}
	is := p.next(want)
	p.save(p.a, is, want.Version)
	if d := difference(want, kept); d != "" {
		p.fail("a loaded record has changed when it was replaced: %s", d)
	}
	p.delete(p.a, want.ID)
	for range 100 {
		p.save(p.a, p.record(), core.NoVersion)
	}
	if d := difference(want, kept); d != "" {
		p.fail("a loaded record has changed when it was deleted and others saved: %s", d)
	}
}

// changedFields appends to Sealed, which reaches the store if the slice has
// room left in the store's memory.
func changedFields(p *probe) {
	var all []core.Record
	for range 20 {
		r := p.record()
		p.save(p.a, r, core.NoVersion)
		all = append(all, r)
	}
	for _, r := range all {
		got, err := p.a.Load(p.ctx, r.ID)
		if err != nil {
			p.fail("Load: %v", err)
		}
		got.Sealed = append(got.Sealed, bytes.Repeat([]byte{0xee}, 400)...)
		got.User, got.ExpiresAt, got.Version = "mallory", 0, got.Version+1
	}
	for _, r := range all {
		p.holds(p.a, r)
	}
}
