package conformance

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// lookThenPut has no more of a window between the two than it must.
func (f *flawed) lookThenPut(_ context.Context, r core.Record, prev core.Version) error {
	switch was, _ := f.stored(r.ID); was.Version {
	case r.Version:
		return nil
	case prev:
		f.put(r)
		return nil
	}
	return core.ErrConflict
}

// shortFlaws act within nanoseconds of their look.
var shortFlaws = []flaw{
	{"looks, then writes at once", "no-lost-update", func(f *flawed) { f.save = f.lookThenPut }},
	{"looks, then writes at once, in a batch of its own", "no-lost-update", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := make([]error, len(saves))
			for i, s := range saves {
				errs[i] = f.lookThenPut(ctx, s.Record, s.Prev)
			}
			return errs
		}
	}},
	{"locks its saves, but not against an end", "end-against-saves", func(f *flawed) {
		var saving sync.Mutex
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			saving.Lock()
			defer saving.Unlock()
			return f.lookThenPut(ctx, r, prev)
		}
	}},
}

// On two processors a case nearly always sees them; on one, or on two that are
// busy with other things, it may take several runs.
func TestShortWindowsAreSeen(t *testing.T) {
	const tries = 30
	for _, flaw := range shortFlaws {
		t.Run(flaw.name, func(t *testing.T) {
			c := caseNamed(t, flaw.breaks)
			seen := ""
			for n := 0; n < tries && seen == ""; n++ {
				f := newFlawed()
				flaw.make(f)
				seen = c.run(t.Context(), f, f)
			}
			require.NotEmpty(t, seen, "case %s does not see a store that %s", flaw.breaks, flaw.name)
		})
	}
}
