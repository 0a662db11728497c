package migrate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/migrate"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/internal/soak"
)

// act is what one request does. All come with the old cookie alone.
type act string

const (
	arriving act = "arrive" // asks who is signed in
	putting  act = "put"    // and keeps a value
	leaving  act = "leave"  // signs out
	revoking act = "revoke" // an operator ends all sessions of the user, and nothing else
	ending   act = "end"    // the user signs out at a server with the old code
)

// meet plays one schedule on two servers and holds the outcome to the promises.
func meet(t *testing.T, acts []act, switches int, keepOld bool, faults int, most fault, choose func(int) int) {
	synctest.Test(t, func(t *testing.T) {
		plain := open(t, nil, hosts.Config{}, migrate.Options{})
		g := &gate{store: plain.store, open: true, switches: switches, wake: make(chan struct{}, 1)}
		plain.store = g
		if slices.Contains(acts, ending) { // else nothing that is done there meets anything
			plain.library.gate = g
		}
		servers := []*site{open(t, plain, hosts.Config{}, migrate.Options{KeepOld: keepOld}), open(t, plain, hosts.Config{}, migrate.Options{KeepOld: keepOld})}
		plain.keep("T1", map[string]any{"user": "ann", "seat": "12A"})
		got, jars := make([]seen, len(acts)), make([]jar, len(acts))
		trace := g.together(len(acts), faults, most, choose, func(ctx context.Context, who int) {
			s := servers[who%2]
			jars[who] = oldJar("T1")
			switch acts[who] {
			case arriving:
				got[who] = jars[who].visit(ctx, s, nil)
			case putting:
				got[who] = jars[who].visit(ctx, s, func(v *nethttp.Session) error { return v.Put(fmt.Sprint("own ", who), who) })
			case leaving:
				got[who] = jars[who].visit(ctx, s, logout)
			case revoking:
				_, got[who].err = s.manager.Revoke(ctx, hosts.Query{User: "ann"})
			case ending:
				got[who].err = s.library.End(ctx, "T1")
			}
		})
		judge(t, servers[0], acts, got, jars, faults, most, fmt.Sprint(acts, " ", trace))
	})
}

func judge(t *testing.T, s *site, acts []act, got []seen, jars []jar, faults int, most fault, what string) {
	t.Helper()
	left, mayEnd := false, false
	for who, a := range acts {
		left = left || a == leaving && got[who].err == nil && got[who].user == "ann"
		mayEnd = mayEnd || a != arriving && a != putting
		if got[who].err != nil {
			continue
		}
		if (a == arriving || a == putting) && got[who].user != "ann" {
			require.True(t, mayEnd || slices.ContainsFunc(acts, func(a act) bool { return a == leaving || a == revoking || a == ending }), "signed out: %s", what)
		}
	}
	spare := 0
	if most > die { // a server that dies in a race leaves what no cookie opens
		spare = faults
	}
	require.LessOrEqual(t, len(s.live("ann")), 1+spare, "sessions of one old cookie: %s", what)
	again := s.visit(oldJar("T1"))
	require.NoError(t, again.err, what)
	if left {
		require.Empty(t, again.user, "it lives again: %s", what)
		for who := range jars {
			if jars[who] != nil {
				require.Empty(t, s.visit(jars[who]).user, "a cookie of %d opens it: %s", who, what)
			}
		}
		require.LessOrEqual(t, len(s.live("ann")), spare, "what has ended is there: %s", what)
		return
	}
	if mayEnd {
		require.LessOrEqual(t, len(s.live("ann")), 1+spare, what)
		return
	}
	require.Equal(t, "ann", again.user, "the login is lost: %s", what)
	require.Contains(t, s.live("ann"), again.id, what)
	for who := range acts {
		if got[who].err == nil {
			require.Equal(t, again.id, got[who].id, "%d has another session: %s", who, what)
			require.Equal(t, again.id, s.visit(jars[who]).id, "and its cookie: %s", what)
		}
		if acts[who] == putting && got[who].status == 200 {
			v, err := s.manager.Get(t.Context(), again.id, fmt.Sprint("own ", who))
			require.NoError(t, err, what)
			require.Equal(t, who, v, what)
		}
	}
	seat, err := s.manager.Get(t.Context(), again.id, "seat")
	require.NoError(t, err, what)
	require.Equal(t, "12A", seat, what)
	require.NotEqual(t, core.ID{}, again.id)
}

// anyNumber is more often than requests can give way to each other.
const anyNumber = 1000

// Where requests make many calls, all schedules are played in which they give way to
// each other up to so many times, more in make soak. Of the others all are.
func TestEveryInterleavingOfTwoFirstRequests(t *testing.T) {
	runs := 0
	for _, x := range []struct {
		acts     []act
		switches int
	}{
		{[]act{arriving, arriving}, soak.Rounds(t, 4, anyNumber)}, {[]act{arriving, revoking}, anyNumber}, {[]act{arriving, ending}, anyNumber},
		{[]act{arriving, leaving}, soak.Rounds(t, 3, 5)}, {[]act{leaving, leaving}, soak.Rounds(t, 2, 4)}, {[]act{leaving, ending}, soak.Rounds(t, 3, 5)},
		{[]act{arriving, arriving, leaving}, soak.Rounds(t, 1, 3)},
	} {
		n := everySchedule(t, func(choose func(int) int) { meet(t, x.acts, x.switches, false, 0, pass, choose) })
		t.Log(x.acts, n, "schedules")
		runs += n
	}
	require.Greater(t, runs, soak.Rounds(t, 1000, 3500))
}

// With every single fault at every place: a call that fails, one whose answer is
// lost, and a server that dies before or after it. The next request finds the
// session, or that it has ended.
func TestEveryCrashOfAFirstRequest(t *testing.T) {
	runs := 0
	for _, x := range []struct {
		acts     []act
		switches int
		most     fault
	}{
		{[]act{arriving}, anyNumber, kinds}, {[]act{putting}, anyNumber, kinds}, {[]act{leaving}, anyNumber, kinds},
		{[]act{arriving, ending}, anyNumber, kinds}, {[]act{arriving, arriving}, soak.Rounds(t, 1, 3), die}, {[]act{arriving, leaving}, soak.Rounds(t, 1, 2), die},
	} {
		n := everySchedule(t, func(choose func(int) int) { meet(t, x.acts, x.switches, false, 1, x.most, choose) })
		t.Log(x.acts, n, "schedules")
		runs += n
	}
	t.Log(runs, "schedules")
	require.Greater(t, runs, 1000)
}

// Many requests, several faults, seeded: a failure names its seed. A third of them
// only arrives, and another third has no server that dies.
func TestSeededSchedulesOfManyFirstRequests(t *testing.T) {
	all := []act{arriving, arriving, arriving, putting, leaving, leaving, revoking, ending}
	for seed := range soak.Rounds[uint64](t, 150, 20_000) {
		random := rand.New(rand.NewPCG(seed, 3))
		acts := make([]act, 2+random.IntN(5))
		for i := range acts {
			if acts[i] = arriving; seed%3 != 0 {
				acts[i] = all[random.IntN(len(all))]
			}
		}
		most := kinds
		if seed%3 == 1 {
			most = die
		}
		if meet(t, acts, anyNumber, seed%2 == 0, random.IntN(2), most, random.IntN); t.Failed() {
			t.Log("seed", seed)
			return
		}
	}
}
