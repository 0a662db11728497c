package nethttp_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// The tests of this file are the limits that docs/security.md names.

// putBack does what a store's writer can: it saves a record in place of whatever is there.
func (s *site) putBack(r core.Record) {
	s.t.Helper()
	require.NoError(s.t, s.memory.Delete(s.t.Context(), r.ID))
	require.NoError(s.t, s.memory.Save(s.t.Context(), r, core.NoVersion))
}

func renew(v *nethttp.Session, _ http.ResponseWriter) error { return v.Renew() }

// TestWhoWritesToTheStore can put back an older state of a session, and nothing else.
func TestWhoWritesToTheStore(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	id := b.login("alice")
	b.put("role", "admin")
	before, _ := s.stored(id)
	old := b.copy()

	b.put("role", "reader")
	s.putBack(before)
	require.Equal(t, "admin", b.value("role"), "an old value")

	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Destroy() })
	require.Empty(t, old.user())
	s.putBack(before)
	require.Equal(t, "alice", old.user(), "a logged-out session")

	now := old.copy()
	now.visit(renew)
	require.ErrorIs(t, old.copy().refusal(), core.ErrSuperseded)
	s.putBack(before)
	require.Equal(t, "alice", old.user(), "an old secret")
	require.ErrorIs(t, now.refusal(), core.ErrSuperseded, "a cookie of a later secret is of no use then")

	for name, change := range map[string]func(*core.Record){
		"another user":     func(r *core.Record) { r.User = "root" },
		"another tenant":   func(r *core.Record) { r.Tenant = "acme" },
		"a later end":      func(r *core.Record) { r.ExpiresAt += core.Hour },
		"another ID":       func(r *core.Record) { r.ID = s.browser().login("mallory") },
		"another version":  func(r *core.Record) { r.Version++ },
		"another creation": func(r *core.Record) { r.CreatedAt-- },
		"a later use":      func(r *core.Record) { r.SeenAt++ },
	} {
		changed := before
		change(&changed)
		s.putBack(changed)
		_, err := s.manager.Load(t.Context(), changed.ID)
		require.ErrorIs(t, err, core.ErrCorrupt, name)
	}
}

// TestWhoHasTheKey opens nothing without a secret; with the store he makes sessions.
func TestWhoHasTheKey(t *testing.T) {
	s, forge := open(t, setup{}), open(t, setup{}) // of one key
	forge.clock.ms.Store(s.clock.ms.Load())
	mallory := forge.browser()
	id := mallory.login("alice")
	theirs, _ := forge.stored(id)
	mallory.s = s
	require.ErrorIs(t, mallory.copy().refusal(), core.ErrNotFound)
	s.putBack(theirs)
	require.Equal(t, "alice", mallory.user())
}

// TestAThiefWhoKeepsPaceIsNotNoticed, as a second tab is not; one who falls behind is.
func TestAThiefWhoKeepsPaceIsNotNoticed(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{RenewAfter: 10 * time.Minute}})
	victim := s.browser()
	victim.login("alice")
	thief := victim.copy()
	first := victim.cookie
	for range 100 {
		s.clock.pass(time.Minute)
		require.Equal(t, "alice", victim.user())
		s.clock.pass(renewGrace - time.Second)
		require.Equal(t, "alice", thief.user())
	}
	require.NotEqual(t, first, victim.cookie, "it was renewed")

	renewed := thief.copy()
	victim.visit(renew)
	require.ErrorIs(t, renewed.refusal(), core.ErrSuperseded, "what no thief can follow: a new chain")
	require.Equal(t, "alice", victim.user())

	late := victim.copy()
	for range 30 {
		s.clock.pass(time.Minute)
		require.Equal(t, "alice", victim.user())
	}
	require.ErrorIs(t, late.refusal(), core.ErrTheft)
	require.Empty(t, victim.user(), "the session is over for both")
}

const renewGrace = 30 * time.Second // RenewGrace

// TestWhatRevokeLeaves: the session that is excepted, and whoever has its cookie.
func TestWhatRevokeLeaves(t *testing.T) {
	s := open(t, setup{})
	own, other := s.browser(), s.browser()
	other.login("alice")
	id := own.login("alice")
	thief := own.copy()
	n, err := s.manager.Revoke(t.Context(), hosts.Query{User: "alice"}, id)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, other.user())
	require.Equal(t, "alice", thief.user())
	own.visit(renew)
	require.ErrorIs(t, thief.refusal(), core.ErrSuperseded)
	require.Equal(t, "alice", own.user())
}

// TestWhatALoginKeeps: values from before it, whoever planted the cookie that they are of.
func TestWhatALoginKeeps(t *testing.T) {
	for _, c := range []struct {
		name  string
		login func(v *nethttp.Session) error
		want  any
	}{
		{"alone", func(v *nethttp.Session) error { return v.Login("alice", 0) }, true},
		{"and a value put with it", func(v *nethttp.Session) error {
			if err := v.Login("alice", 0); err != nil {
				return err
			}
			return v.Put("mfa", false)
		}, false},
		{"on a session that was cleared", func(v *nethttp.Session) error {
			if err := v.Clear(); err != nil {
				return err
			}
			return v.Login("alice", 0)
		}, hosts.ErrNoValue.Error()},
	} {
		s := open(t, setup{})
		attacker := s.browser()
		attacker.put("mfa", true)
		victim := attacker.copy()
		victim.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return c.login(v) })
		require.Equal(t, c.want, victim.value("mfa"), c.name)

		again := s.browser()
		again.login("alice")
		again.put("mfa", true)
		again.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return c.login(v) })
		require.Equal(t, c.want, again.value("mfa"), c.name+", by the same user")
	}
}
