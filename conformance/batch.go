package conformance

import (
	"bytes"
	"errors"
	"math"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var batchCases = []testCase{
	{"load-many", "LoadMany answers ids[i] at [i], as Load would.", loadMany},
	{"save-many", "SaveMany answers saves[i] at [i], as Save would: one that is refused takes no other with it.", saveMany},
	{"save-many-repeated", "SaveMany is idempotent as Save is.", saveManyRepeated},
	{"save-many-touches", "In a batch touches and other saves mix, and each is answered as Save would.", saveManyTouches},
	{"load-many-whole", "What SaveMany and Save have saved LoadMany and Load return exactly: IDs, versions, names, times, bytes.", loadManyWhole},
	{"save-many-leaves-bytes", "SaveMany leaves the records as they were handed over.", saveManyLeavesBytes},
	{"load-many-apart", "The caller may change the fields of what LoadMany answers: that changes nothing in the store, nor in another answer.", loadManyApart},
}

func (p *probe) loadMany(s hosts.Store, ids []core.ID) []hosts.Loaded {
	got := able[hosts.Batcher](s).LoadMany(p.ctx, ids)
	if len(got) != len(ids) {
		p.fail("LoadMany of %d IDs gives %d answers", len(ids), len(got))
	}
	return got
}

// saveMany hands over private copies, as try does.
func (p *probe) saveMany(s hosts.Store, saves []hosts.Saving) []error {
	saves = slices.Clone(saves)
	for i := range saves {
		saves[i].Record.Sealed = slices.Clone(saves[i].Record.Sealed)
	}
	got := able[hosts.Batcher](s).SaveMany(p.ctx, saves)
	if len(got) != len(saves) {
		p.fail("SaveMany of %d records gives %d answers", len(saves), len(got))
	}
	return got
}

// loadMany asks for what is there, what is not, one twice, and nothing.
func loadMany(p *probe) {
	var ids []core.ID
	stored := make(map[core.ID]core.Record)
	for i := range 300 {
		r := p.record()
		if i%3 != 0 {
			r.Sealed = sealed(r.Version, i)
			p.save(p.a, r, core.NoVersion)
			stored[r.ID] = r
		}
		ids = append(ids, r.ID)
	}
	ids = append(ids, ids[1], ids[0], ids[1])
	p.loadMany(p.a, nil)
	for _, n := range []int{1, 2, len(ids)} {
		for i, got := range p.loadMany(p.b, ids[:n]) {
			want, there := stored[ids[i]]
			if !there {
				if !errors.Is(got.Err, core.ErrNotFound) {
					p.fail("LoadMany answers %v for a missing record, want core.ErrNotFound", got.Err)
				}
				continue
			}
			if d := difference(want, got.Record); got.Err != nil || d != "" {
				p.fail("LoadMany answers at [%d]: %v %s", i, got.Err, d)
			}
		}
	}
}

// saveMany mixes all kinds of saves, each several times in one batch.
func saveMany(p *probe) {
	var saves []hosts.Saving
	var wants []want
	for range 40 {
		for _, kind := range p.savings() {
			saves = append(saves, kind.saving)
			wants = append(wants, kind)
		}
	}
	p.saveMany(p.a, nil)
	p.judge(saves, wants)
}

// judge saves a batch and holds the answers, and what is stored, to the wants.
func (p *probe) judge(saves []hosts.Saving, wants []want) {
	for i, err := range p.saveMany(p.a, saves) {
		w := wants[i]
		if w.bad {
			w.err = saves[i].Record.Check()
		}
		if !errors.Is(err, w.err) {
			p.fail("SaveMany answers at [%d], %s: %v, want %v", i, describe(saves[i].Record, saves[i].Prev), err, w.err)
		}
	}
	for i, w := range wants {
		if w.after == nil {
			p.gone(p.b, saves[i].Record.ID)
		} else {
			p.holds(p.b, *w.after)
		}
	}
}

// want is one call of SaveMany and what must come of it.
type want struct {
	saving hosts.Saving
	err    error
	after  *core.Record // nil: nothing is stored
	bad    bool         // out of bounds: the error of the check
}

// savings returns one call of each kind and stores what they need.
func (p *probe) savings() []want {
	stored := make([]core.Record, 4)
	for i := range stored {
		stored[i] = p.record()
		p.save(p.a, stored[i], core.NoVersion)
	}
	fresh, missing, bad := p.record(), p.record(), p.record()
	next := p.next(stored[0])
	bad.User = "no\x00name"
	return []want{
		{saving: hosts.Saving{Record: next, Prev: stored[0].Version}, after: &next},
		{saving: hosts.Saving{Record: fresh}, after: &fresh},
		{saving: hosts.Saving{Record: p.next(stored[1])}, err: core.ErrConflict, after: &stored[1]},
		{saving: hosts.Saving{Record: p.next(stored[2]), Prev: p.version()}, err: core.ErrConflict, after: &stored[2]},
		{saving: hosts.Saving{Record: stored[3], Prev: p.version()}, after: &stored[3]},
		{saving: hosts.Saving{Record: missing, Prev: p.version()}, err: core.ErrConflict},
		{saving: hosts.Saving{Record: bad}, bad: true},
	}
}

func saveManyRepeated(p *probe) {
	var first, second []hosts.Saving
	for range 20 {
		r := p.record()
		first = append(first, hosts.Saving{Record: r})
		second = append(second, hosts.Saving{Record: p.next(r), Prev: r.Version})
	}
	for _, step := range []struct {
		saves []hosts.Saving
		want  error
	}{{first, nil}, {first, nil}, {second, nil}, {second, nil}, {first, core.ErrConflict}} {
		for i, err := range p.saveMany(p.a, step.saves) {
			if !errors.Is(err, step.want) {
				p.fail("SaveMany answers at [%d]: %v, want %v", i, err, step.want)
			}
		}
	}
	for _, s := range second {
		p.holds(p.b, s.Record)
	}
}

// saveManyTouches is saveMany with every second call a touch.
func saveManyTouches(p *probe) {
	var saves []hosts.Saving
	var wants []want
	for n := range 20 {
		for i, kind := range p.savings() {
			kind.saving.Touch = (i+n)%2 == 0
			saves = append(saves, kind.saving)
			wants = append(wants, kind)
		}
	}
	p.judge(saves, wants)
}

// loadManyWhole has every ID, name, time, version and size that the cases of
// Save and Load have: a command of many may carry them another way.
func loadManyWhole(p *probe) {
	var all []core.Record
	for i, id := range hostileIDs() {
		r := p.record()
		r.ID = id
		r.Version = []core.Version{r.Version, r.Version | 1<<62, 1 + core.Version(i), 1<<63 - 1 - core.Version(i)}[i%4]
		r.Tenant = hostileNames[i%len(hostileNames)]
		r.User = hostileNames[(i*7+3)%len(hostileNames)]
		r.CreatedAt = []core.Time{0, 1, -1, 999, 1<<53 + 1, math.MaxInt64, math.MinInt64}[i%7]
		r.SeenAt = []core.Time{math.MinInt64, 1<<32 + 1, 0}[i%3]
		r.ExpiresAt += core.Time(i)
		r.Sealed = [][]byte{nil, {}, {0}, {0xff}, sealed(r.Version, 3000), bytes.Repeat([]byte{0}, 50), []byte("\\x00'\"%_\n")}[i%7]
		all = append(all, r)
	}
	large := p.record()
	large.Sealed = sealed(large.Version, core.MaxSealed)
	all = append(all, large)
	for step := range 2 { // inserts, then replacements
		saves := make([]hosts.Saving, len(all))
		ids := make([]core.ID, len(all))
		for i := range all {
			if step == 1 {
				saves[i].Prev = all[i].Version
				all[i].Version, all[i].User, all[i].Tenant = p.version(), all[i].Tenant, all[i].User
			}
			saves[i].Record = all[i]
			ids[i] = all[i].ID
		}
		for i, err := range p.saveMany(p.a, saves) {
			if err != nil {
				p.fail("SaveMany answers at [%d], %s: %v", i, describe(saves[i].Record, saves[i].Prev), err)
			}
		}
		for i, got := range p.loadMany(p.b, ids) {
			if d := difference(all[i], got.Record); got.Err != nil || d != "" {
				p.fail("LoadMany answers at [%d]: %v %s", i, got.Err, d)
			}
			p.holds(p.a, all[i])
		}
	}
}

func saveManyLeavesBytes(p *probe) {
	saves := p.guarded(20)
	for i, err := range able[hosts.Batcher](p.a).SaveMany(p.ctx, saves) {
		if err != nil {
			p.fail("SaveMany answers at [%d]: %v", i, err)
		}
	}
	p.untouched(saves)
}

// loadManyApart appends to the bytes, which reaches the next ones where all are
// cut from one buffer.
func loadManyApart(p *probe) {
	all := p.saveExpiring(20, p.soon)
	var ids []core.ID
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	got := p.loadMany(p.a, ids)
	for i := range got {
		_ = append(got[i].Record.Sealed, bytes.Repeat([]byte{guard}, 400)...)
	}
	for i, r := range all {
		if d := difference(r, got[i].Record); d != "" {
			p.fail("what LoadMany has answered at [%d] changes with another answer: %s", i, d)
		}
		p.holds(p.a, r)
	}
}
