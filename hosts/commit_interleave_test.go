package hosts_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// scene is one session of ann's and the requests that meet in it.
type scene struct {
	*site
	gate *gate
	id   core.ID
	ann  *browser
	acts []act
	errs []error
}

// act is what one request does.
type act string

const (
	setting    act = "set"     // a name of its own, by the cookie
	settingID  act = "set ID"  // a name of its own, by ID
	counting   act = "count"   // one more, in a counter
	claiming   act = "claim"   // an exclusive name
	loggingIn  act = "login"   // the same user
	switching  act = "switch"  // another user
	renewing   act = "renew"   // a privilege change
	refreshing act = "refresh" // the deadline
	destroying act = "destroy" // by the cookie
	revoking   act = "revoke"  // by ID
	sweeping   act = "all out" // every session of the user
	arriving   act = "arrive"  // the user, at another device
	guesting   act = "guest"   // a session made by hand
)

func (s *scene) do(ctx context.Context, who int) {
	s.errs[who] = s.act(ctx, s.acts[who], who)
}

func (s *scene) act(ctx context.Context, a act, who int) error {
	m := s.Manager
	switch a {
	case settingID:
		return m.Set(ctx, s.id, fmt.Sprint("own ", who), who)
	case revoking:
		return m.Destroy(ctx, s.id)
	case refreshing:
		return m.Refresh(ctx, s.id)
	case sweeping:
		_, err := m.Revoke(ctx, hosts.Query{User: "ann"})
		return err
	case arriving:
		_, err := m.Login(newBrowser().asking(ctx, m), "ann", 0)
		return err
	case guesting:
		n, err := m.Create(ctx)
		if err != nil {
			return err
		}
		n.UserID = "ann"
		return m.Save(ctx, n)
	}
	x := s.ann.clone().asking(ctx, m)
	defer x.Close()
	switch a {
	case loggingIn, switching:
		user := "ann"
		if a == switching {
			user = "ben"
		}
		_, err := m.Login(x, user, 0)
		return err
	case destroying:
		return m.Destroy(x, s.id)
	}
	n, err := m.GetSessionFromCookie(x)
	if err != nil {
		return err
	}
	switch a {
	case setting:
		n.Data[fmt.Sprint("own ", who)] = who
	case counting:
		n.Data["hits"] = n.Data["hits"].(int) + 1
	case claiming:
		if _, taken := n.Data["seat"]; taken {
			return core.ErrConflict
		}
		n.Data["seat"] = who
	case renewing:
		return m.Renew(x, n)
	}
	return m.Save(x, n)
}

// meet plays one schedule and holds the outcome to the promises.
func meet(t *testing.T, acts []act, faults, managers int, choose func(int) int) {
	synctest.Test(t, func(t *testing.T) {
		store, err := cachestore.Open(cachestore.Options{MaxBytes: cachestore.LeastMaxBytes})
		require.NoError(t, err)
		g := &gate{Store: store, open: true, wake: make(chan struct{}, 1)}
		c := hosts.Config{Merge: map[string]core.MergeKind{"hits": core.MergeCounter}, Exclusive: []string{"seat"}, Clock: newClock()}
		s := &scene{site: open(t, g, c), gate: g, acts: acts, errs: make([]error, len(acts)), ann: newBrowser()}
		s.id = s.ann.login(s.site, "ann").ID
		require.NoError(t, s.Set(t.Context(), s.id, "hits", 0))
		other := s
		if managers == 2 {
			twin := *s
			twin.site, other = open(t, g, c), &twin
		}
		trace := g.together(len(acts), faults, choose, func(ctx context.Context, who int) {
			if who%2 == 1 {
				other.do(ctx, who)
			} else {
				s.do(ctx, who)
			}
		})
		s.judge(t, fmt.Sprint(acts, " ", trace, s.errs))
		if len(acts) == 2 { // one answer that is lost can be found out
			for who, err := range s.errs {
				require.True(t, acts[who] == guesting || !isAny(err, hosts.ErrUnknown), "%v %s: %v", acts, trace, err)
			}
		}
	})
}

// judge says that every change is there as acknowledged, that what ended is
// gone, and that no cookie from before a login opens anything.
func (s *scene) judge(t *testing.T, what string) {
	t.Helper()
	r, err := s.store.Load(t.Context(), s.id)
	if err == nil && r.ExpiresAt-r.CreatedAt == core.SupersededHold { // the trace of a login as another user
		err = core.ErrNotFound
	}
	lives := err == nil
	if !lives {
		require.ErrorIs(t, err, core.ErrNotFound, what)
	}
	data := map[string]any{}
	if lives {
		require.Equal(t, "ann", r.User, what)
		data = s.data(s.id)
	}
	ended, superseded := false, false
	hits, maybe, winners := 0, 0, 0
	for who, a := range s.acts {
		err := s.errs[who]
		unknown := isAny(err, hosts.ErrUnknown)
		typed := unknown || isAny(err, hosts.ErrUnavailable, core.ErrConflict, core.ErrEnded, core.ErrSuperseded, core.ErrNotFound)
		require.True(t, err == nil || typed, "%s: %v", what, err)
		switch a {
		case destroying, revoking, switching, sweeping:
			// A superseded cookie signs in elsewhere, and ends nothing.
			stale := a == switching && (slices.Contains(s.acts, loggingIn) || slices.Contains(s.acts, renewing))
			ended = ended || err == nil && !stale
			require.True(t, err == nil || isAny(err, hosts.ErrUnavailable, hosts.ErrUnknown, core.ErrSuperseded), "ending is not refused: %s", what)
		case loggingIn, renewing:
			superseded = superseded || err == nil
		case counting:
			if err == nil {
				hits++
			} else if unknown {
				maybe++
			}
		case claiming:
			if err == nil {
				winners++
				require.True(t, !lives || data["seat"] == who, what)
			}
		}
		if own, ok := data[fmt.Sprint("own ", who)]; lives && !unknown {
			require.Equal(t, err == nil && (a == setting || a == settingID), ok, "%s: of request %d", what, who)
			require.True(t, !ok || own == who, what)
		}
	}
	require.LessOrEqual(t, winners, 1, what)
	for _, id := range s.gate.ended {
		_, err := s.Load(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound, "what was ended lives again: %s", what)
	}
	if ended {
		require.False(t, lives, "an ended session lives: %s", what)
	}
	if lives {
		require.GreaterOrEqual(t, data["hits"], hits, what)
		require.LessOrEqual(t, data["hits"], hits+maybe, what)
	}
	if ended || superseded {
		_, err := s.ann.clone().session(s.site)
		require.True(t, isAny(err, core.ErrNotFound, core.ErrSuperseded), "%s: the old cookie: %v", what, err)
	}
}

func TestEveryInterleavingOfTwoRequests(t *testing.T) {
	all := []act{setting, settingID, counting, claiming, loggingIn, switching, renewing, refreshing, destroying, revoking}
	runs := 0
	for i, a := range all {
		for _, b := range all[i:] {
			for managers := 1; managers <= 2; managers++ {
				runs += everySchedule(t, func(choose func(int) int) { meet(t, []act{a, b}, 0, managers, choose) })
			}
		}
	}
	t.Log(runs, "schedules")
	require.Greater(t, runs, 500)
}

// With every single fault at every place: a call that is not made, and one
// whose answer is lost.
func TestEveryInterleavingOfTwoRequestsWithAFault(t *testing.T) {
	runs := 0
	for _, acts := range [][]act{
		{setting, destroying}, {counting, counting}, {counting, settingID}, {claiming, claiming},
		{loggingIn, counting}, {switching, revoking}, {renewing, setting}, {settingID, revoking},
		{arriving, sweeping}, {guesting, sweeping}, {switching, sweeping}, {loggingIn, sweeping},
	} {
		runs += everySchedule(t, func(choose func(int) int) { meet(t, acts, 1, 1, choose) })
	}
	t.Log(runs, "schedules")
	require.Greater(t, runs, 500)
}

// The short form plays some on one server and the others on two.
func TestEveryInterleavingOfThreeRequests(t *testing.T) {
	runs, every := 0, soak.Rounds(t, 2, 1)
	for i, acts := range [][]act{
		{counting, counting, settingID}, {setting, loggingIn, revoking}, {claiming, claiming, renewing}, {counting, refreshing, destroying},
	} {
		for managers := 1; managers <= 2; managers++ {
			if (i+managers)%every != 0 {
				continue
			}
			runs += everySchedule(t, func(choose func(int) int) { meet(t, acts, 0, managers, choose) })
		}
	}
	t.Log(runs, "schedules")
	require.Greater(t, runs, 500)
}

// Many requests of all kinds, several faults, seeded: a failure names its seed.
func TestSeededSchedulesOfManyRequests(t *testing.T) {
	all := []act{setting, settingID, counting, counting, claiming, loggingIn, switching, renewing, refreshing, destroying, revoking,
		sweeping, arriving, guesting}
	quiet := []act{setting, settingID, counting, counting, claiming, refreshing}
	for seed := range soak.Rounds[uint64](t, 75, 20_000) {
		random := rand.New(rand.NewPCG(seed, 1))
		from := quiet
		if seed%3 == 0 {
			from = all
		}
		acts := make([]act, 4+random.IntN(6))
		for i := range acts {
			acts[i] = from[random.IntN(len(from))]
		}
		if t.Failed() {
			break
		}
		meet(t, acts, random.IntN(4), 1+random.IntN(2), random.IntN)
	}
}
