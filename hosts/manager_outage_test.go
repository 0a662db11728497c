package hosts_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const outageLine = "sessions: session store failed"

// Whoever meets a store that is down, by whatever verb, the operator sees it.
func TestAnOutageIsSeenByWhoeverMeetsIt(t *testing.T) {
	all := hosts.Query{AnyTenant: true, AnyUser: true}
	verbs := map[string]func(m *site, ann *browser, id core.ID) error{
		"load":    func(m *site, _ *browser, id core.ID) error { _, err := m.Load(t.Context(), id); return err },
		"get":     func(m *site, _ *browser, id core.ID) error { _, err := m.Get(t.Context(), id, "n"); return err },
		"valid":   func(m *site, _ *browser, id core.ID) error { _, err := m.IsValid(t.Context(), id); return err },
		"set":     func(m *site, _ *browser, id core.ID) error { return m.Set(t.Context(), id, "n", 1) },
		"destroy": func(m *site, _ *browser, id core.ID) error { return m.Destroy(t.Context(), id) },
		"cookie":  func(m *site, ann *browser, _ core.ID) error { _, err := ann.session(m); return err },
		"sessions": func(m *site, _ *browser, _ core.ID) error {
			_, _, err := m.Sessions(t.Context(), all, core.ID{}, 0)
			return err
		},
		"revoke":  func(m *site, _ *browser, _ core.ID) error { _, err := m.Revoke(t.Context(), all); return err },
		"cleanup": func(m *site, _ *browser, _ core.ID) error { _, err := m.CleanupExpired(t.Context()); return err },
	}
	for name, verb := range verbs {
		t.Run(name, func(t *testing.T) {
			var down atomic.Bool
			m := open(t, conformance.Faulty(memory(t), func(int, conformance.Verb) conformance.Fault {
				if down.Load() {
					return conformance.Fail
				}
				return conformance.Pass
			}), hosts.Config{})
			ann := newBrowser()
			id := ann.login(m, "ann").ID
			down.Store(true)
			require.ErrorIs(t, verb(m, ann, id), hosts.ErrUnavailable)
			told := m.events(hosts.EventFailed)
			require.NotEmpty(t, told)
			require.ErrorIs(t, told[0].Err, hosts.ErrUnavailable)
			require.Equal(t, 1, told[0].Count)
			require.NotZero(t, told[0].At)
			require.GreaterOrEqual(t, m.log.count(outageLine), 1)
		})
	}
}

// The line comes once a minute, with how many failures there were since.
func TestAnOutageIsReportedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing := &refusingStore{Store: memory(t)}
		m := open(t, refusing, hosts.Config{})
		id := m.create().ID
		refusing.saves = hosts.ErrRefused
		fail := func(n int) {
			for range n {
				require.ErrorIs(t, m.Set(t.Context(), id, "n", n), hosts.ErrRefused)
			}
		}
		fail(100)
		require.Equal(t, 1, m.log.count(outageLine))
		require.Equal(t, 1, m.log.count("count=1 "))
		<-time.After(time.Minute + time.Second)
		require.Equal(t, 1, m.log.count("count=99 "), "the line that was due")
		fail(7)
		require.Equal(t, 2, m.log.count(outageLine))
		<-time.After(10 * time.Minute)
		require.Equal(t, 1, m.log.count("count=7 "))
		require.Equal(t, 3, m.log.count(outageLine), "nothing fails any more")
		fail(3)
		require.Equal(t, 4, m.log.count(outageLine))
		var counts []int
		for _, e := range m.events(hosts.EventFailed) { // which closes it
			counts = append(counts, e.Count)
		}
		require.Equal(t, []int{1, 99, 7, 1, 2}, counts, "the end reports the rest")
		require.Equal(t, 5, m.log.count(outageLine), "the event is not logged once more")
		fail(5)
		require.Equal(t, 5, m.log.count(outageLine), "closed")
	})
}

// A visitor who leaves, and a record that no store takes, are no outage.
func TestWhatIsNoOutage(t *testing.T) {
	refusing := &refusingStore{Store: memory(t)}
	m := open(t, refusing, hosts.Config{})
	id := m.create().ID
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Load(gone, id)
	require.ErrorIs(t, err, context.Canceled)
	for _, bad := range []error{core.ErrTooLarge, core.ErrBadName, core.ErrBadRecord} {
		refusing.saves = bad
		err := m.Set(t.Context(), id, "n", 1)
		require.ErrorIs(t, err, bad)
		require.NotErrorIs(t, err, hosts.ErrUnavailable)
	}
	require.Empty(t, m.events(hosts.EventFailed))
	require.Zero(t, m.log.count(outageLine))
}

// The default logger shows an outage, though it shows no other event.
func TestTheDefaultLoggerShowsAnOutage(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	refusing := &refusingStore{Store: memory(t)}
	m, err := hosts.New(refusing, hosts.Config{Key: key})
	require.NoError(t, err)
	s, err := m.Create(t.Context())
	require.NoError(t, err)
	refusing.saves = hosts.ErrRefused
	require.ErrorIs(t, m.Save(t.Context(), s), hosts.ErrRefused)
	require.NoError(t, m.Close())
	require.Contains(t, log.String(), "level=ERROR")
	require.Contains(t, log.String(), outageLine)
	require.Contains(t, log.String(), "nothing was changed")
}

// An outcome that is unknown says what lost the answer, however it was found to
// be unknown.
func TestALostAnswerKeepsItsCause(t *testing.T) {
	cause := errors.New("the cable was cut")
	synctest.Test(t, func(t *testing.T) {
		refusing := &refusingStore{Store: memory(t), saves: cause}
		m := open(t, refusing, hosts.Config{})
		n, err := m.Create(t.Context())
		require.NoError(t, err)
		err = m.Save(t.Context(), n)
		require.ErrorIs(t, err, hosts.ErrUnknown)
		require.ErrorIs(t, err, cause)
	})
	synctest.Test(t, func(t *testing.T) { // lost, and then others' saves hide what became of it
		store := memory(t)
		others := open(t, store, adding(newClock()))
		lossy := &losing{Store: store, cause: cause}
		m := open(t, lossy, adding(others.clock))
		id := others.create().ID
		n, err := m.Load(t.Context(), id)
		require.NoError(t, err)
		n.Data["hits"] = 1
		lossy.meanwhile = func() {
			for i := range 50 {
				require.NoError(t, others.Set(t.Context(), id, "other", i))
			}
		}
		err = m.Save(t.Context(), n)
		require.ErrorIs(t, err, hosts.ErrUnknown)
		require.ErrorIs(t, err, cause)
	})
	synctest.Test(t, func(t *testing.T) { // lost, and then the store refuses to say more
		store := memory(t)
		m := open(t, &turning{Store: store, answers: []error{cause, hosts.ErrRefused}}, hosts.Config{})
		n, err := m.Create(t.Context())
		require.NoError(t, err)
		err = m.Save(t.Context(), n)
		require.ErrorIs(t, err, hosts.ErrUnknown, "the first may have been applied")
		require.ErrorIs(t, err, cause)
	})
}

// turning answers saves in turn, and goes on with the last.
type turning struct {
	hosts.Store
	answers []error
	n       int
}

func (s *turning) Save(context.Context, core.Record, core.Version) error {
	answer := s.answers[min(s.n, len(s.answers)-1)]
	s.n++
	return answer
}
