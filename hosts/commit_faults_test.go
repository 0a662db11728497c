package hosts_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// trial is one verb of ann's on a store that a test breaks once it is set up.
type trial struct {
	*site
	ann   *browser
	id    core.ID
	first atomic.Int64 // number of the first call of the verb
	calls atomic.Int64 // of the verb
	at    int          // the call, counted from 0, that has the fault
	lasts bool         // and all after it
	fault conformance.Fault
}

// trialVerbs change the session in ways that can be told afterwards.
var trialVerbs = []struct {
	name string
	do   func(r *trial, ctx context.Context) error
	done func(r *trial) bool // it shows in the store
}{
	{"save", func(r *trial, ctx context.Context) error {
		n, err := r.Load(ctx, r.id)
		if err != nil {
			return err
		}
		n.Data["hits"] = n.Data["hits"].(int) + 1
		return r.Save(ctx, n)
	}, func(r *trial) bool { return r.hits() == 1 }},
	{"set", func(r *trial, ctx context.Context) error { return r.Set(ctx, r.id, "hits", 1) },
		func(r *trial) bool { return r.hits() == 1 }},
	{"login", func(r *trial, ctx context.Context) error {
		_, err := r.Login(r.ann.asking(ctx, r.Manager), "ann", 0)
		return err
	}, func(r *trial) bool { n, err := r.ann.session(r.site); return err == nil && n.UserID == "ann" }},
	{"renew", func(r *trial, ctx context.Context) error {
		x := r.ann.clone().asking(ctx, r.Manager)
		n, err := r.GetSessionFromCookie(x)
		if err != nil {
			return err
		}
		return r.Renew(x, n)
	}, func(r *trial) bool { _, err := r.ann.session(r.site); return isAny(err, core.ErrSuperseded) }},
	{"refresh", func(r *trial, ctx context.Context) error { return r.Refresh(ctx, r.id) },
		func(r *trial) bool { return r.record().ExpiresAt == r.clock.Now()+core.Hour }},
	{"destroy", func(r *trial, ctx context.Context) error { return r.Destroy(ctx, r.id) },
		func(r *trial) bool { return r.record().Version == core.NoVersion }},
	{"create", func(r *trial, ctx context.Context) error {
		n, err := r.Create(ctx)
		if err != nil {
			return err
		}
		r.id = n.ID
		return r.Save(ctx, n)
	}, func(r *trial) bool { return r.record().Version != core.NoVersion }},
}

// healthy stops the faults.
func (r *trial) healthy() { r.first.Store(1 << 40) }

func (r *trial) record() core.Record {
	rec, _ := r.store.Load(context.Background(), r.id) // missing: the zero record
	return rec
}

func (r *trial) hits() int { return r.data(r.id)["hits"].(int) }

func (r *trial) plan(call int, _ conformance.Verb) conformance.Fault {
	n := call - int(r.first.Load())
	if n < 0 {
		return conformance.Pass
	}
	r.calls.Add(1)
	if n == r.at || r.lasts && n > r.at {
		return r.fault
	}
	return conformance.Pass
}

const trialTimeout = 300 * time.Millisecond

// start opens the store and ann's anonymous session in it, half an hour old.
func (r *trial) start(t *testing.T) {
	r.healthy()
	var setUp atomic.Int64
	store := conformance.Faulty(memory(t), func(call int, verb conformance.Verb) conformance.Fault {
		setUp.Store(int64(call) + 1)
		return r.plan(call, verb)
	})
	c := newClock()
	r.site = open(t, store, hosts.Config{Clock: c, CommitTimeout: trialTimeout, Merge: map[string]core.MergeKind{"hits": core.MergeCounter}})
	r.ann = newBrowser()
	x := r.ann.ask(r.site)
	n, err := r.Create(x)
	require.NoError(t, err)
	n.ExpiresAt, n.Data["hits"] = c.time().Add(time.Hour), 0
	require.NoError(t, r.Save(x, n))
	require.NoError(t, r.SetCookie(x, n))
	r.id = n.ID
	c.pass(time.Minute)
	r.first.Store(setUp.Load())
	r.calls.Store(0)
}

// A call of any verb, at any place, fails in any way, once or for ever.
func TestEveryFaultAtEveryCall(t *testing.T) {
	faults := map[conformance.Fault]string{conformance.Fail: "fail", conformance.LoseAnswer: "lose answer", conformance.Hang: "hang",
		conformance.Conflict: "conflict", conformance.Garbage: "garbage"}
	for _, v := range trialVerbs {
		for fault, name := range faults {
			for _, lasts := range []bool{false, true} {
				for at := 0; ; at++ {
					var calls int64
					what := fmt.Sprintf("%s: %s from call %d, for ever %v", v.name, name, at, lasts)
					synctest.Test(t, func(t *testing.T) {
						r := &trial{at: at, lasts: lasts, fault: fault}
						r.start(t)
						ctx, cancel := context.WithTimeout(context.Background(), time.Second)
						defer cancel()
						began := time.Now()
						err := v.do(r, ctx)
						took := time.Since(began)
						calls = r.calls.Load()
						r.healthy()
						r.judge(t, what, err, v.done(r))
						require.LessOrEqual(t, took, time.Second+2*trialTimeout, what)
						require.LessOrEqual(t, calls, int64(40), what)
					})
					if calls <= int64(at) {
						break // beyond its last call
					}
				}
			}
		}
	}
}

// judge holds the error to what is stored.
func (r *trial) judge(t *testing.T, what string, err error, done bool) {
	t.Helper()
	switch {
	case err == nil:
		require.True(t, done, "%s: acknowledged, and not there", what)
	case isAny(err, hosts.ErrUnknown):
	case isAny(err, hosts.ErrBusy):
		require.False(t, done, "%s: nothing was changed, it says", what)
	case isAny(err, hosts.ErrUnavailable):
	case isAny(err, core.ErrCorrupt):
		require.Equal(t, conformance.Garbage, r.fault, what)
		require.False(t, done, what)
	default:
		t.Fatalf("%s: not typed, or taken for the end of the session: %v", what, err)
	}
}

func TestDefiniteRefusalsAreNotRepeated(t *testing.T) {
	for _, refusal := range []error{hosts.ErrRefused, hosts.ErrFull, hosts.ErrBusy, hosts.ErrClosed, core.ErrTooLarge} {
		refusing := &refusingStore{Store: memory(t), saves: refusal}
		m := open(t, refusing, hosts.Config{})
		n, err := m.Create(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, m.Save(t.Context(), n), refusal)
		require.NotErrorIs(t, m.Save(t.Context(), n), hosts.ErrUnknown)
		require.EqualValues(t, 2, refusing.calls.Load())
		refusing.saves = nil
		require.NoError(t, m.Save(t.Context(), n), "nothing was given up")
	}
}

// refusingStore answers every save with an error.
type refusingStore struct {
	hosts.Store
	saves error
	calls atomic.Int64
}

func (s *refusingStore) Save(ctx context.Context, r core.Record, prev core.Version) error {
	s.calls.Add(1)
	if s.saves != nil {
		return s.saves
	}
	return s.Store.Save(ctx, r, prev)
}

// A new session whose only save got lost may have been stored and ended: its
// ID is never stored again.
func TestUnknownNewSessionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing := &refusingStore{Store: memory(t), saves: hosts.ErrUnavailable}
		m := open(t, refusing, hosts.Config{})
		n, err := m.Create(t.Context())
		require.NoError(t, err)
		err = m.Save(t.Context(), n)
		require.ErrorIs(t, err, hosts.ErrUnknown)
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		refusing.saves = nil
		require.ErrorIs(t, m.Save(t.Context(), n), core.ErrEnded)
		m.gone(n.ID)
	})
}

func TestReadsGoOnWithoutTheirNote(t *testing.T) {
	for name, c := range map[string]hosts.Config{"touch": {IdleTimeout: time.Hour}, "renewal": {RenewAfter: 10 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refusing := &refusingStore{Store: memory(t)}
				c.Clock = newClock()
				m := open(t, refusing, c)
				ann := newBrowser()
				id := ann.login(m, "ann").ID
				m.clock.pass(20 * time.Minute)
				refusing.saves = hosts.ErrUnavailable
				for range 5 {
					n, err := ann.session(m)
					require.NoError(t, err)
					require.Equal(t, id, n.ID)
				}
				require.Equal(t, 1, m.log.count("session store failed"), "once a minute")
				<-time.After(time.Minute + time.Second)
				require.Equal(t, 2, m.log.count("session store failed"))
				require.Equal(t, 1, m.log.count("count=4 "), m.log.String())
				refusing.saves = nil
				n, err := ann.session(m)
				require.NoError(t, err)
				require.True(t, n.LastSeenAt.Equal(m.clock.time()), "noted as soon as it can be")
			})
		})
	}
}

// slowStore answers its first saves late, and no later one.
type slowStore struct {
	hosts.Store
	late atomic.Int64 // how many are answered, and late
	on   atomic.Bool
}

func (s *slowStore) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if !s.on.Load() {
		return s.Store.Save(ctx, r, prev)
	}
	if s.late.Add(-1) >= 0 {
		<-time.After(trialTimeout / 3)
		return s.Store.Save(ctx, r, prev)
	}
	<-ctx.Done()
	return ctx.Err()
}

// Two line up after a conflict, and the save of the first hangs. The second's
// time is over before its turn: it leaves, and its change is not stored behind
// its back.
func TestWhoLeavesTheLineTakesItsChangeAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: memory(t)}
		m := open(t, store, hosts.Config{CommitTimeout: trialTimeout})
		n := m.create()
		answers := make(chan error, 2)
		for range 2 {
			view, err := m.Load(t.Context(), n.ID)
			require.NoError(t, err)
			view.UserID = "ann" // a login goes alone, not with the others
			go func() {
				<-time.After(time.Millisecond)
				answers <- m.Save(t.Context(), view)
			}()
		}
		require.NoError(t, m.Set(t.Context(), n.ID, "name", 0))
		store.late.Store(2)
		store.on.Store(true)
		first, second := <-answers, <-answers
		if isAny(first, hosts.ErrBusy) {
			first, second = second, first
		}
		require.ErrorIs(t, first, hosts.ErrUnknown)
		require.ErrorIs(t, second, hosts.ErrBusy)
		store.on.Store(false)
		<-time.After(10 * trialTimeout)
		n, err := m.Load(t.Context(), n.ID)
		require.NoError(t, err)
		require.Empty(t, n.UserID)
	})
}

// The line has an end: who comes when it is full hears it at once.
func TestTheLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: memory(t)}
		m := open(t, store, hosts.Config{CommitTimeout: trialTimeout})
		n := m.create()
		const most, more = 1024, 100
		answers := make(chan time.Duration, most+more)
		for range most + more {
			view, err := m.Load(t.Context(), n.ID)
			require.NoError(t, err)
			view.UserID = "ann"
			go func() {
				<-time.After(time.Millisecond)
				began := time.Now()
				err := m.Save(t.Context(), view)
				if !isAny(err, hosts.ErrBusy, hosts.ErrUnknown) {
					t.Error(err)
				}
				answers <- time.Since(began)
			}()
		}
		require.NoError(t, m.Set(t.Context(), n.ID, "name", 0))
		store.late.Store(most + more) // all meet the conflict, then the line stands
		store.on.Store(true)
		atOnce := 0
		for range most + more {
			if took := <-answers; took < trialTimeout {
				atOnce++
			} else {
				require.Equal(t, trialTimeout, took)
			}
		}
		require.InDelta(t, more, atOnce, 1, "one may be on its way when the line is full")
		store.on.Store(false)
		<-time.After(10 * trialTimeout) // the last save ends
	})
}
