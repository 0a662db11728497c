package hosts_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func TestStatsCountWhatHappened(t *testing.T) {
	m := open(t, nil, hosts.Config{IdleTimeout: time.Hour, Exclusive: []string{"sum"}})
	alice, nobody := newBrowser(), newBrowser()
	_, err := nobody.session(m)
	require.ErrorIs(t, err, core.ErrNoCookie)
	alice.login(m, "alice")
	thief := alice.clone()
	_, err = alice.session(m)
	require.NoError(t, err)
	alice.login(m, "alice") // a new secret
	_, err = thief.session(m)
	require.Error(t, err)
	alice.login(m, "bob") // another user: another session
	forged := alice.clone()
	forged.value += "x"
	_, err = forged.session(m)
	require.Error(t, err)
	x := alice.ask(m)
	s, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	require.NoError(t, m.Destroy(x, s.ID))
	require.NoError(t, m.Destroy(t.Context(), s.ID)) // there is none any more

	st := m.Stats()
	require.Equal(t, []uint64{2, 1, 3}, []uint64{st.Begun, st.Traces, st.Logins})
	require.Equal(t, uint64(1), st.Ended[core.ReasonEnded])
	require.Equal(t, uint64(2), st.Refused[core.ReasonNone], "alice had none at first, either")
	require.Equal(t, uint64(1), sum(st.Refused)-st.Refused[core.ReasonNone]-st.Refused[core.ReasonSuperseded]-st.Refused[core.ReasonTheft])
	require.Equal(t, uint64(1), st.Ended[core.ReasonSuperseded]+st.Ended[core.ReasonTheft], "bob took alice's place")
	require.Positive(t, st.Resumed)
	require.Nil(t, st.Queues)
	require.Nil(t, st.Feed)
	require.Nil(t, st.Cache)
	require.Equal(t, 1, st.Memory.Sessions, "the trace of alice's")
}

func sum(by map[core.Reason]uint64) (n uint64) {
	for _, one := range by {
		n += one
	}
	return n
}

// odd refuses everybody for a reason that no release has.
type odd struct {
	hosts.Engine
	reason core.Reason
}

func (o odd) Identify([]string, string, core.Time) ([]core.Ticket, error) {
	return nil, &core.Refusal{Reason: o.reason}
}

// A guest that is of another release, or hostile, makes no new label.
func TestReasonsThatNobodyKnowsAreOne(t *testing.T) {
	var m *site
	for reason := range 256 {
		m = open(t, nil, hosts.Config{Engine: func(p core.Policy, k core.KeyRing) (hosts.Engine, error) {
			e, err := core.NewMachine(p, k)
			return odd{e, core.Reason(reason)}, err
		}})
		_, err := newBrowser().session(m)
		require.Error(t, err)
		for r, n := range m.Stats().Refused {
			listed := core.Reason(reason).String() != hosts.Unlisted.String()
			here := listed && int(r) == reason || !listed && r == hosts.Unlisted
			require.Equal(t, here, n == 1, "%d: %v", reason, r)
		}
	}
	names := map[string]bool{}
	for r := range m.Stats().Refused {
		names[r.String()] = true
	}
	require.Len(t, names, len(m.Stats().Refused), "each has a name of its own")
}

// TestStatsAddUp: in a mixed load every session that began is stored, or was ended,
// or removed after its time; also where two requests end one session at once.
func TestStatsAddUp(t *testing.T) {
	log, err := fsstore.Open(fsstore.Options{Dir: t.TempDir(), Fast: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	for name, store := range map[string]hosts.Store{"memory": memory(t), "log": log} {
		t.Run(name, func(t *testing.T) {
			m := open(t, store, hosts.Config{AnonymousLifetime: 3 * time.Minute, Lifetime: 10 * time.Minute, Retention: time.Minute, NoCleanup: true, OnEvent: func(hosts.Event) {}})
			until := time.Now().Add(time.Duration(soak.Rounds(t, 300, 600_000)) * time.Millisecond)
			var passing sync.RWMutex // no request lasts for minutes
			over := make(chan struct{})
			var all sync.WaitGroup
			end := sync.OnceFunc(func() { close(over); all.Wait() })
			defer end()
			for range 8 {
				all.Go(func() {
					for open := true; open; {
						passing.RLock()
						aVisit(t, m)
						passing.RUnlock()
						select {
						case <-over:
							open = false
						default:
						}
					}
				})
			}
			for round := 0; round < 10 || time.Now().Before(until); round++ {
				passing.Lock()
				m.clock.pass(2 * time.Minute)
				passing.Unlock()
				_, err := m.CleanupExpired(t.Context())
				require.NoError(t, err)
				_, err = m.Revoke(t.Context(), hosts.Query{User: "carol", AnyTenant: true})
				require.NoError(t, err)
			}
			end()
			records, err := store.(hosts.Finder).Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1<<20)
			require.NoError(t, err)
			st := m.Stats()
			t.Logf("begun %d, traces %d, stored %d, ended %v, swept %d, refused %v", st.Begun, st.Traces, len(records), st.Ended, st.Swept, st.Refused)
			require.Zero(t, st.Unknown)
			require.Equal(t, st.Begun+st.Traces, uint64(len(records))+sum(st.Ended)+st.Swept)
			for what, n := range map[string]uint64{"begun": st.Begun, "traces": st.Traces, "stored": uint64(len(records)), "ended": st.Ended[core.ReasonEnded], "superseded": st.Ended[core.ReasonSuperseded], "swept": st.Swept, "retries": st.Retries} {
				require.Positive(t, n, "the load has nothing %s", what)
			}
		})
	}
}

// aVisit is what a visitor does until they leave, logged out or not.
func aVisit(t *testing.T, m *site) {
	b := newBrowser()
	users := []string{"alice", "bob"}
	if rand.N(20) == 0 {
		users = []string{"carol"} // rarely: Revoke ends when it finds none
	}
	for range 1 + rand.N(6) {
		switch rand.N(5) {
		case 0: // signs in, maybe as somebody else
			_, err := m.Login(b.ask(m), users[rand.N(len(users))], 0)
			require.NoError(t, err)
		case 1: // logs out by two requests at once
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					x := b.clone().ask(m)
					if s, err := m.GetSessionFromCookie(x); err == nil {
						require.NoError(t, m.Destroy(x, s.ID))
					}
				})
			}
			both.Wait()
		case 2: // logs out by the session of two requests at once
			one, two := b.clone().ask(m), b.clone().ask(m)
			first, err := m.Resume(one)
			second, err2 := m.Resume(two)
			if errors.Join(err, err2) == nil && first != nil && second != nil {
				require.NoError(t, m.EndSession(one))
				_ = m.EndSession(two)
			}
		default: // changes something, twice at once
			s, err := b.session(m)
			if err != nil {
				s, err = m.Create(b.ask(m))
				require.NoError(t, err)
				require.NoError(t, m.Save(t.Context(), s))
			}
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { _, _ = m.Add(t.Context(), s.ID, "n", 1) }) // it may have ended
			}
			both.Wait()
		}
	}
}

// TestStatsOfAStoreThatFails: what is not known is counted as that, and the sums are
// off by no more.
func TestStatsOfAStoreThatFails(t *testing.T) {
	broken := &brokenStore{Store: memory(t)}
	m := open(t, broken, hosts.Config{CommitTimeout: 50 * time.Millisecond})
	b := newBrowser()
	b.login(m, "alice")
	require.False(t, m.Stats().Failing)
	broken.down = true
	_, err := b.session(m)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	_, err = m.Login(newBrowser().ask(m), "bob", 0)
	require.ErrorIs(t, err, hosts.ErrUnknown)
	st := m.Stats()
	require.True(t, st.Failing)
	require.Equal(t, uint64(2), st.Failures)
	require.Equal(t, uint64(1), st.Unknown)
	require.Positive(t, st.Resends)
	require.Equal(t, uint64(1), st.Begun)
}

type brokenStore struct {
	hosts.Store
	down bool
}

var errDown = errors.New("connection refused")

func (s *brokenStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if s.down {
		return core.Record{}, errDown
	}
	return s.Store.Load(ctx, id)
}

func (s *brokenStore) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if s.down {
		return errDown
	}
	return s.Store.Save(ctx, r, prev)
}
