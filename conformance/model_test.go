package conformance

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func TestModelOfARightStore(t *testing.T) {
	TestModel(t, func(*testing.T) hosts.Store { return newMapStore() })
	TestModelShared(t, func(*testing.T) (a, b hosts.Store) {
		m := newMapStore()
		return m, plain{m}
	})
}

// Also where the answers come late, and from another goroutine each time.
func TestSameSeedSameRun(t *testing.T) {
	seen := map[string]bool{}
	for seed := range soak.Rounds(t, uint64(60), 300) {
		m := newMapStore()
		one, broken := play(t, seed, m, m, newMapStore())
		require.Empty(t, broken, "seed %d", seed)
		slow := &slow{newMapStore()}
		other, broken := play(t, seed, slow, slow, newMapStore())
		require.Empty(t, broken, "seed %d", seed)
		require.Equal(t, one, other, "seed %d", seed)
		for _, what := range []string{"late", "twice", "lost", "not made", "a touch", "conflict", "not found", "find", "delete"} {
			seen[what] = seen[what] || strings.Contains(strings.Join(one, "\n"), what)
		}
	}
	for what, yes := range seen {
		require.True(t, yes, "no run has %s", what)
	}
}

// slow answers from another goroutine.
type slow struct{ *mapStore }

func (s *slow) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err = s.mapStore.Load(ctx, id)
	}()
	<-done
	return r, err
}

// modelFlaws are the mistakes that only show when requests meet, by what the
// judges must say of them.
var modelFlaws = []struct {
	flaw string
	says []string
}{
	{"puts blindly", []string{"counted", "has set", "in a session that", "by a cookie from before"}},
	{"ignores the version", []string{"counted", "has set"}},
	{"inserts where it should replace", []string{"in a session that"}},
	{"remembers every version as done", []string{"counted", "has set"}},
	{"refuses a repetition", nil},
	{"keeps an old answer", nil},
}

func TestModelSeesFlaws(t *testing.T) {
	for _, m := range modelFlaws {
		t.Run(m.flaw, func(t *testing.T) {
			at := slices.IndexFunc(allFlaws, func(f flaw) bool { return f.name == m.flaw })
			flawed := func() hosts.Store {
				s := newFlawed()
				allFlaws[at].make(s)
				return s
			}
			compared := false
			missing := slices.Clone(m.says)
			for seed := uint64(0); seed < 300 && !(compared && len(missing) == 0); seed++ {
				s := flawed()
				_, broken := play(t, seed, s, s, newMapStore())
				compared = compared || broken != ""
				s = flawed()
				_, broken = play(t, seed, s, s, flawed()) // which answers alike: the judges are alone
				missing = slices.DeleteFunc(missing, func(say string) bool { return strings.Contains(broken, say) })
			}
			require.True(t, compared)
			require.Empty(t, missing, "no run says so")
		})
	}
}

// TestModelSeesFlawedRequests: a core that forgets what was read, and a take that
// is a get and a delete.
func TestModelSeesFlawedRequests(t *testing.T) {
	for flaw, says := range map[string]string{"forgets reads": "does not see in \"chain\"", "get and delete": "was taken by several"} {
		seen := false
		for seed := uint64(0); seed < 300 && !seen; seed++ {
			m := newMapStore()
			_, broken := playFlawed(t, seed, m, m, newMapStore(), flaw)
			seen = strings.Contains(broken, says)
		}
		require.True(t, seen, "no run says that %s", says)
	}
}

func FuzzRightStore(f *testing.F) {
	FuzzStore(f, func(*testing.T) hosts.Store { return newMapStore() })
}

func TestSeedsOfTheEnvironment(t *testing.T) {
	t.Setenv("SEED", "")
	t.Setenv("RUNS", "")
	if testing.Short() {
		require.Len(t, seeds(t), shortRuns)
	} else {
		require.Len(t, seeds(t), ModelRuns)
	}
	t.Setenv("SEED", "7")
	require.Equal(t, []uint64{7}, seeds(t))
	t.Setenv("RUNS", "3")
	require.Equal(t, []uint64{7, 8, 9}, seeds(t))
	t.Setenv("SEED", "random")
	require.NotEqual(t, seeds(t), seeds(t))
}
