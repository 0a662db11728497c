package linear_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// batching is memory that does many calls in one command.
type batching struct{ hosts.Store }

func (b batching) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	all := make([]hosts.Loaded, len(ids))
	for i, id := range ids {
		all[i].Record, all[i].Err = b.Load(ctx, id)
	}
	return all
}

func (b batching) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	all := make([]error, len(saves))
	for i, s := range saves {
		all[i] = b.Save(ctx, s.Record, s.Prev)
	}
	return all
}

// The backend fails in every way that it may: what a coalescer tells its
// callers is true all the same.
func TestCoalescerOverAFaultyBackend(t *testing.T) {
	faults := []conformance.Fault{
		conformance.Fail, conformance.LoseAnswer, conformance.Hang, conformance.HangAfter, conformance.Cancel,
		conformance.Twice, conformance.LandLate, conformance.FailBatch, conformance.Short,
	}
	for name, o := range map[string]coalesce.Options{
		"one worker":    {Direct: -1},
		"small batches": {Direct: -1, BatchCalls: 2, Workers: 3},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			random := rand.New(rand.NewPCG(seed(t), 1))
			faulty := conformance.Faulty(batching{memory(t)}, func(int, conformance.Verb) conformance.Fault {
				mu.Lock()
				defer mu.Unlock()
				if random.IntN(30) > 0 {
					return conformance.Pass
				}
				return faults[random.IntN(len(faults))]
			})
			o.Timeout = 20 * time.Millisecond // a hanging command holds up the others for so long
			c, err := coalesce.New(faulty.(coalesce.Backend), o)
			require.NoError(t, err)
			require.NoError(t, judgedWithin(t, c, c, true, 50*time.Millisecond))
			require.NoError(t, c.Close())
		})
	}
}
