package hosts_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const idle = 16 * time.Minute // a use is noted once a minute

// quietly is a quiet request of the browser, whose session is loaded.
func (b *browser) quietly(m *site) *hosts.Request {
	x := b.ask(m)
	x.Quiet = true
	_, err := m.Resume(x)
	require.NoError(m.t, err)
	return x
}

// TestQuietNotesNoUse: what a quiet request does and does not do.
func TestQuietNotesNoUse(t *testing.T) {
	s := open(t, nil, hosts.Config{IdleTimeout: idle, RenewAfter: 3 * time.Minute})
	b := newBrowser()
	id := b.login(s, "alice").ID
	before, err := s.store.Load(t.Context(), id)
	require.NoError(t, err)
	s.clock.pass(5 * time.Minute) // a note and a renewal are due
	given := len(b.set)

	x := b.quietly(s)
	_, err = s.Commit(x, x.Current())
	require.NoError(t, err)
	after, err := s.store.Load(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, before, after, "a request that reads writes nothing")
	_, err = s.GetSessionFromCookie(b.quietly(s))
	require.NoError(t, err)

	for try, change := range map[string]func(x *hosts.Request) error{
		"set":    func(x *hosts.Request) error { return s.Set(x, id, "n", 1) },
		"add":    func(x *hosts.Request) error { _, err := s.Add(x, id, "n", 2); return err },
		"delete": func(x *hosts.Request) error { return s.Delete(x, id, "n") },
		"save": func(x *hosts.Request) error {
			n, err := s.GetSessionFromCookie(x)
			if err != nil {
				return err
			}
			n.Data["saved"] = true
			return s.Save(x, n)
		},
	} {
		was, err := s.store.Load(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, change(b.quietly(s)), try)
		after, err := s.store.Load(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, before.SeenAt, after.SeenAt, try)
		require.Equal(t, before.ExpiresAt, after.ExpiresAt, try)
		if try != "delete" {
			require.NotEqual(t, was.Version, after.Version, try)
		}
	}
	require.Equal(t, true, s.data(id)["saved"])
	require.Len(t, b.set, given, "no cookie")
	_, err = b.session(s)
	require.NoError(t, err)
	require.Len(t, b.set, given+1, "the renewal that is due comes with a person's request")
}

// TestLoudVerbsOfAQuietRequest: a login is a login, with all that belongs to it.
func TestLoudVerbsOfAQuietRequest(t *testing.T) {
	for name, do := range map[string]func(s *site, x *hosts.Request) error{
		"login":   func(s *site, x *hosts.Request) error { _, err := s.Login(x, "alice", 0); return err },
		"switch":  func(s *site, x *hosts.Request) error { _, err := s.Login(x, "bob", 0); return err },
		"refresh": func(s *site, x *hosts.Request) error { return s.Refresh(x, x.Current().ID()) },
		"extend":  func(s *site, x *hosts.Request) error { return s.Extend(x, false) },
		"renew": func(s *site, x *hosts.Request) error {
			n, err := s.GetSessionFromCookie(x)
			if err != nil {
				return err
			}
			return s.Renew(x, n)
		},
		"confirm": func(s *site, x *hosts.Request) error {
			n, err := s.GetSessionFromCookie(x)
			if err != nil {
				return err
			}
			return s.Confirm(x, n, "otp")
		},
		"lifetime": func(s *site, x *hosts.Request) error {
			n, err := s.GetSessionFromCookie(x)
			if err != nil {
				return err
			}
			n.ExpiresAt = n.ExpiresAt.Add(time.Hour)
			return s.Save(x, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, nil, hosts.Config{IdleTimeout: idle})
			b := newBrowser()
			b.login(s, "alice")
			thief := b.clone()
			s.clock.pass(5 * time.Minute)
			x := b.quietly(s)
			if name != "extend" {
				require.NoError(t, s.Set(x, x.Current().ID(), "n", 1))
			}
			require.NoError(t, do(s, x))
			x.Close()
			n, err := b.session(s)
			require.NoError(t, err)
			require.Equal(t, s.clock.time(), n.LastSeenAt.Local(), "it is a use")
			_, err = thief.session(s)
			if name == "login" || name == "renew" || name == "confirm" || name == "switch" {
				require.Error(t, err, "the cookie of before opens nothing")
			}
		})
	}
}

// TestQuietWritersTogether: quiet requests that meet in a line note no use; a person's
// among them is one.
func TestQuietWritersTogether(t *testing.T) {
	for _, person := range []bool{false, true} {
		s := open(t, nil, hosts.Config{IdleTimeout: idle})
		b := newBrowser()
		id := b.login(s, "alice").ID
		begun := s.clock.time()
		s.clock.pass(5 * time.Minute)
		var all sync.WaitGroup
		requests := make([]*hosts.Request, writers)
		for i := range requests {
			requests[i] = b.clone().quietly(s)
			requests[i].Quiet = !person || i != writers/2
		}
		require.NoError(t, s.Set(t.Context(), id, "other", 1)) // so that every first try fails
		for _, x := range requests {
			all.Go(func() {
				_, err := x.Current().AddValue("n", 1)
				if err == nil {
					_, err = s.Commit(x, x.Current())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		require.Equal(t, writers, s.data(id)["n"])
		r, err := s.store.Load(t.Context(), id)
		require.NoError(t, err)
		want := begun
		if person {
			want = s.clock.time()
		}
		require.Equal(t, core.TimeOf(want), r.SeenAt, "person %v", person)
	}
}

// TestQuietConflictsAsEver: a value that was read and has changed is not overwritten.
func TestQuietConflictsAsEver(t *testing.T) {
	s := open(t, nil, hosts.Config{})
	b := newBrowser()
	id := b.login(s, "alice").ID
	require.NoError(t, s.Set(t.Context(), id, "n", 1))
	x := b.quietly(s)
	_, err := s.Get(x, id, "n")
	require.NoError(t, err)
	require.NoError(t, s.Set(t.Context(), id, "n", 2))
	require.ErrorIs(t, s.Set(x, id, "n", 3), core.ErrConflict)

	x = b.quietly(s)
	_, err = s.Get(x, id, "n")
	require.NoError(t, err)
	require.NoError(t, s.Set(x, id, "other", 1)) // stored; what was read before counts still
	require.NoError(t, s.Set(t.Context(), id, "n", 4))
	require.ErrorIs(t, s.Set(x, id, "n", 5), core.ErrConflict)
	require.Equal(t, 4, s.data(id)["n"])
}

// TestExtendFails where no use is noted, and only there.
func TestExtendFails(t *testing.T) {
	store := memory(t)
	var fault func(conformance.Verb) conformance.Fault
	s := open(t, conformance.Faulty(store, func(_ int, v conformance.Verb) conformance.Fault {
		if fault == nil {
			return conformance.Pass
		}
		return fault(v)
	}), hosts.Config{IdleTimeout: idle})
	b := newBrowser()
	b.login(s, "alice")
	s.clock.pass(5 * time.Minute)

	x := b.quietly(s)
	fault = func(v conformance.Verb) conformance.Fault {
		if v == conformance.Save {
			return conformance.Fail
		}
		return conformance.Pass
	}
	require.ErrorIs(t, s.Extend(x, false), hosts.ErrUnavailable)
	require.ErrorIs(t, s.Extend(b.quietly(s), true), hosts.ErrUnavailable)
	fault = nil

	x = b.quietly(s)
	_, err := b.session(s) // notes the use first
	require.NoError(t, err)
	require.NoError(t, s.Extend(x, false))
	left, _ := s.TimeLeft(x.Current())
	require.Equal(t, idle, left)

	s.clock.pass(5 * time.Minute)
	x = b.quietly(s)
	require.NoError(t, s.Set(t.Context(), x.Current().ID(), "n", 1)) // which is no use
	require.NoError(t, s.Extend(x, false))
	left, _ = s.TimeLeft(x.Current())
	require.Equal(t, idle, left)

	s.clock.pass(5 * time.Minute)
	x = b.quietly(s)
	require.NoError(t, s.Destroy(t.Context(), x.Current().ID()))
	require.NoError(t, s.Extend(x, false), "a session that has ended is no error")
	require.Equal(t, core.StateNew, x.Current().State())
	require.True(t, errors.Is(x.Refusal(), core.ErrNotFound))
	left, whole := s.TimeLeft(x.Current())
	require.Zero(t, left+whole)
}
