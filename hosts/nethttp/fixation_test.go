package nethttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestAFixatedCookieIsWorthlessAfterTheLogin: an attacker plants an anonymous
// cookie on a victim, who signs in with it.
func TestAFixatedCookieIsWorthlessAfterTheLogin(t *testing.T) {
	s := open(t, setup{})
	attacker := s.browser()
	attacker.put("cart", "bait")
	victim := attacker.copy()
	id := victim.login("victim")
	require.ErrorIs(t, attacker.refusal(), core.ErrSuperseded)
	require.Empty(t, attacker.user())

	before, _ := s.stored(id)
	a := attacker.put("cart", "poison")
	require.Equal(t, 401, a.status, "for a minute: it may be a late request of the victim's browser")
	require.Empty(t, a.ours())
	s.clock.pass(time.Minute)
	a = attacker.put("cart", "poison") // a session of the attacker's own
	require.Equal(t, 200, a.status)
	after, _ := s.stored(id)
	require.Equal(t, before, after, "the victim's record was written")
	require.Equal(t, "bait", victim.value("cart"))
	require.Equal(t, "victim", victim.user())
	require.NotEqual(t, id, attacker.id())
}

// TestASupersededRequestCannotWrite: it came in before the victim's login and
// stores after it. Its answer is replaced, whatever it wrote.
func TestASupersededRequestCannotWrite(t *testing.T) {
	for name, do := range map[string]func(v *nethttp.Session) error{
		"put":     func(v *nethttp.Session) error { return v.Put("cart", "poison") },
		"delete":  func(v *nethttp.Session) error { return v.Delete("cart") },
		"clear":   func(v *nethttp.Session) error { return v.Clear() },
		"refresh": func(v *nethttp.Session) error { return v.Refresh() },
		"renew":   func(v *nethttp.Session) error { return v.Renew() },
	} {
		s := open(t, setup{})
		attacker := s.browser()
		attacker.put("cart", "bait")
		victim := attacker.copy()
		var id core.ID
		var before core.Record
		a := attacker.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
			id = victim.login("victim")
			before, _ = s.stored(id)
			if err := do(v); err != nil {
				return err
			}
			if _, err := fmt.Fprint(w, "all is well"); !errors.Is(s.note(err), core.ErrSuperseded) {
				t.Error(name, err)
			}
			return nil
		})
		require.Equal(t, 401, a.status, name)
		require.Contains(t, a.body, "Nothing of this request was stored")
		require.Empty(t, a.ours(), "the cookie is not this request's to clear")
		after, _ := s.stored(id)
		require.Equal(t, before, after, name)
		require.Equal(t, "victim", victim.user())
		require.Equal(t, "bait", victim.value("cart"))
	}
}

// TestASupersededReaderGoesOn: it has seen what it may see.
func TestASupersededReaderGoesOn(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.put("cart", "book")
	login := b.copy()
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		login.login("alice")
		got, err := v.Get("cart")
		fmt.Fprint(w, got)
		return err
	})
	require.Equal(t, 200, a.status)
	require.Equal(t, "book", a.body)
	require.Empty(t, a.ours())
}

// TestADoubleClickSignsInTwice: both answers bring a cookie that works.
func TestADoubleClickSignsInTwice(t *testing.T) {
	s := open(t, setup{})
	for _, cookie := range []bool{true, false} {
		first := s.browser()
		if cookie {
			first.put("cart", "book")
		}
		second := first.copy()
		g := s.stopBefore(conformance.Save)
		login := func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Login("alice", 0) }
		answered := first.start(login) // loads, and waits at the store
		await(t, g.arrived)
		require.Equal(t, 200, second.visit(login).status)
		close(g.opened)
		require.Equal(t, 200, await(t, answered).status)
		s.mend()
		require.Equal(t, "alice", first.user())
		require.Equal(t, "alice", second.user())
		if cookie {
			require.Equal(t, "book", first.value("cart"))
			require.Equal(t, "book", second.value("cart"))
			require.NotEqual(t, first.id(), second.id())
		}
	}
}

func TestLoginAsAnotherUserEndsTheOldSession(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	old := b.login("alice")
	b.put("mail", "alice's")
	copied := b.copy()
	id := b.login("bob")
	require.NotEqual(t, old, id)
	trace, _ := s.stored(old)
	require.Empty(t, trace.User)
	require.Equal(t, trace.CreatedAt+core.SupersededHold, trace.ExpiresAt)
	valid, err := s.manager.IsValid(t.Context(), old)
	require.NoError(t, err)
	require.False(t, valid)
	require.Equal(t, "no value of that name in the session", b.value("mail"))
	require.ErrorIs(t, copied.refusal(), core.ErrSuperseded)
	s.clock.pass(2 * time.Minute)
	require.ErrorIs(t, copied.refusal(), core.ErrSuperseded)

	renewed := b.copy()
	require.Equal(t, id, b.login("bob"), "one's own is renewed and keeps its ID")
	require.ErrorIs(t, renewed.refusal(), core.ErrSuperseded)
}

// TestNoIDIsAdopted that a client brings along, however well it is formed.
func TestNoIDIsAdopted(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	gone := b.login("alice")
	require.NoError(t, s.manager.Destroy(t.Context(), gone))
	for name, cookie := range map[string]string{
		"a session that is gone": b.cookie, "an ID": gone.String(), "traversal": "../../etc/passwd", "nothing": "",
		"zeros": strings.Repeat("A", 124), "a bit of another": flipped(b.cookie, 40),
	} {
		visitor := s.browser()
		visitor.cookie = cookie
		require.Equal(t, 200, visitor.put("n", 1).status, name)
		require.NotEqual(t, cookie, visitor.cookie)
		require.NotEqual(t, gone, visitor.id(), name)
		require.Equal(t, 1, visitor.value("n"))
		_, lives := s.stored(gone)
		require.False(t, lives, name)
	}
}
