package hosts_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func TestForgottenSetCookieIsReported(t *testing.T) {
	const warning = "call SetCookie before the answer is written"
	for name, c := range map[string]struct {
		finish func(m *site, x *hosts.Request, n *hosts.Session) error
		warns  int
	}{
		"forgotten": {func(*site, *hosts.Request, *hosts.Session) error { return nil }, 1},
		"set":       {func(m *site, x *hosts.Request, n *hosts.Session) error { return m.SetCookie(x, n) }, 0},
		"destroyed": {func(m *site, x *hosts.Request, n *hosts.Session) error { return m.Destroy(x, n.ID) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t, nil, hosts.Config{})
			x := newBrowser().ask(m)
			n, err := m.Create(x)
			require.NoError(t, err)
			require.NoError(t, m.Save(x, n))
			require.NoError(t, c.finish(m, x, n))
			x.Close()
			x.Close()
			require.Equal(t, c.warns, m.log.count(warning))
			require.Equal(t, c.warns, m.log.count(warning+`" session=`+n.ID.String()))
		})
	}
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	ann.login(m, "ann")
	x := ann.ask(m)
	n, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	n.UserID = "ben" // a login by hand
	require.NoError(t, m.Save(x, n))
	x.Close()
	require.Equal(t, 1, m.log.count(warning))
	require.NotPanics(t, (&hosts.Request{}).Close)
}

func TestSecureOverPlainHTTPIsDiagnosedOnce(t *testing.T) {
	const warning = "a Secure cookie was set over plain HTTP"
	m := open(t, nil, hosts.Config{})
	newBrowser().login(m, "ann")
	require.Zero(t, m.log.count(warning))
	for range 3 {
		b := newBrowser()
		b.plain = true
		b.login(m, "ann")
	}
	require.Equal(t, 1, m.log.count(warning))
	m = open(t, nil, hosts.Config{AllowInsecure: true})
	b := newBrowser()
	b.plain = true
	b.login(m, "ann")
	require.Zero(t, m.log.count(warning))
}

// many is a request with the cookies of several browsers.
func many(m *site, all ...*browser) *hosts.Request {
	x := all[0].ask(m)
	var fields []string
	for _, b := range all {
		fields = append(fields, b.field()...)
	}
	x.Cookies = hosts.CookieFields(fields...)
	return x
}

func TestCandidates(t *testing.T) {
	loads := 0
	store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
		if verb == conformance.Load {
			loads++
		}
		return conformance.Pass
	})
	m := open(t, store, hosts.Config{BindUserAgent: true})
	var old []*browser
	for range 4 {
		b := newBrowser()
		id := b.login(m, "ann").ID
		old = append(old, b)
		require.NoError(t, m.Destroy(t.Context(), id))
	}
	loads = 0
	_, err := m.GetSessionFromCookie(many(m, old...))
	require.ErrorIs(t, err, core.ErrNotFound)
	require.Equal(t, 2, loads, "no more are asked of the store")

	m.clock.pass(time.Hour)
	live := newBrowser()
	id := live.login(m, "ann").ID
	for _, order := range [][]*browser{{live, old[0]}, {old[0], live}, {old[0], old[1], old[2], live}} {
		n, err := m.GetSessionFromCookie(many(m, order...))
		require.NoError(t, err, "the newest is asked first")
		require.Equal(t, id, n.ID)
	}

	forged := newBrowser()
	forged.name, forged.value = live.name, "x"
	foreign := newBrowser()
	foreign.login(open(t, nil, hosts.Config{Key: core.NewSecret("\x03another key, also of no other use"[:32])}), "ann")
	loads = 0
	_, err = m.GetSessionFromCookie(many(m, forged, foreign))
	require.ErrorIs(t, err, core.ErrUnknownKey, "of several it tells the one that came closest")
	_, err = m.GetSessionFromCookie(many(m, foreign, forged))
	require.ErrorIs(t, err, core.ErrUnknownKey)
	_, err = m.GetSessionFromCookie(newBrowser().ask(m))
	require.ErrorIs(t, err, core.ErrNoCookie)
	require.Zero(t, loads, "none of it asks the store")

	// A breach of one session does not take the cookie of another that lives.
	m.clock.pass(time.Hour)
	moved := newBrowser()
	moved.agent = "Other/1.0"
	breached := moved.login(m, "ann").ID
	both := many(m, live, moved)
	n, err := m.GetSessionFromCookie(both)
	require.NoError(t, err)
	require.Equal(t, id, n.ID)
	m.gone(breached)
	require.NotEmpty(t, live.value)
}

func TestBreachesEndTheSession(t *testing.T) {
	for _, c := range []struct {
		config hosts.Config
		change func(b *browser)
		want   error
	}{
		{hosts.Config{BindIPv4Bits: 32}, func(b *browser) { b.ip = netip.MustParseAddr("192.0.2.8") }, core.ErrIPChanged},
		{hosts.Config{BindIPv4Bits: 24}, func(b *browser) { b.ip = netip.MustParseAddr("192.0.3.7") }, core.ErrIPChanged},
		{hosts.Config{BindIPv4Bits: 24}, func(b *browser) { b.ip = netip.MustParseAddr("::ffff:192.0.2.200") }, nil},
		{hosts.Config{BindIPv4Bits: 24}, func(b *browser) { b.ip = netip.Addr{} }, core.ErrIPChanged},
		{hosts.Config{BindUserAgent: true}, func(b *browser) { b.agent = "Other/1.0" }, core.ErrUserAgentChanged},
		{hosts.Config{}, func(b *browser) { b.agent, b.ip = "Other/1.0", netip.Addr{} }, nil},
	} {
		m := open(t, nil, c.config)
		ann := newBrowser()
		id := ann.login(m, "ann").ID
		c.change(ann)
		_, err := ann.session(m)
		if c.want == nil {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, c.want)
		m.gone(id)
		require.Empty(t, ann.value, "its request ended the session, and clears the cookie")
		told := m.events(hosts.EventRefused, hosts.EventEnded)
		require.Len(t, told, 2)
		for _, e := range told {
			require.Equal(t, core.ReasonOf(c.want), e.Reason)
			require.Equal(t, id, e.ID)
			require.Equal(t, "ann", e.User)
		}
	}
}

// Whose breached session cannot be ended is let in by nobody.
func TestBreachThatCannotBeEnded(t *testing.T) {
	store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
		if verb == conformance.Delete {
			return conformance.Fail
		}
		return conformance.Pass
	})
	m := open(t, store, hosts.Config{BindUserAgent: true})
	ann := newBrowser()
	ann.login(m, "ann")
	ann.agent = "Other/1.0"
	_, err := ann.session(m)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.NotEmpty(t, ann.value)
}

func TestDestroyKeepsToTheTenant(t *testing.T) {
	down := false
	store := conformance.Faulty(memory(t), func(_ int, verb conformance.Verb) conformance.Fault {
		if verb == conformance.Load && down {
			return conformance.Fail
		}
		return conformance.Pass
	})
	m := open(t, store, hosts.Config{})
	red, blue := newBrowser(), newBrowser()
	red.tenant, blue.tenant = "red", "blue"
	reds, blues := red.login(m, "ann").ID, blue.login(m, "ann").ID
	x := blue.ask(m)
	for range 2 {
		require.ErrorIs(t, m.Destroy(x, reds), core.ErrWrongTenant)
		require.ErrorIs(t, m.Set(x, reds, "name", 1), core.ErrWrongTenant)
		_, err := m.Load(x, reds)
		require.ErrorIs(t, err, core.ErrWrongTenant)
		ok, err := m.IsValid(x, reds)
		require.NoError(t, err)
		require.False(t, ok)
		_, err = m.GetSessionFromCookie(x)
		require.NoError(t, err)
	}
	down = true
	require.ErrorIs(t, m.Destroy(x, reds), hosts.ErrUnavailable, "it cannot be told whose it is")
	down = false
	m.data(reds)
	down = true
	require.NoError(t, m.Destroy(x, blues), "one's own can be ended all the same")
	require.Empty(t, blue.value)
	require.NoError(t, m.Destroy(t.Context(), reds), "and a program's")
	down = false
	m.gone(blues)
	m.gone(reds)
}

// The cookie is cleared when it is of the session that is ended, by whatever
// name the request knows it.
func TestDestroyClearsOnesOwnCookie(t *testing.T) {
	m := open(t, nil, hosts.Config{FormerScopes: []core.Scope{{Path: "/old"}}})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	other := m.signedIn(1, "ann")[0]
	require.NoError(t, m.Destroy(ann.ask(m), other))
	require.NotEmpty(t, ann.value)
	ann.set = nil
	x := ann.ask(m)
	require.NoError(t, m.Destroy(x, id), "nothing was loaded before")
	require.Len(t, ann.set, 2)
	require.Equal(t, "/ /old", ann.set[0].Path+" "+ann.set[1].Path)
	require.NoError(t, m.Destroy(x, id), "twice is no error")
	ann.value = ""
	require.NoError(t, m.Destroy(newBrowser().ask(m), id))
	require.Len(t, m.events(hosts.EventEnded), 2, "what was missing did not end again")
}

func TestRequestAsAContext(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	x := m.Attach(&hosts.Request{Cookies: hosts.CookieFields("rockstar_session=hush")})
	require.NoError(t, x.Err(), "a missing context is filled in")
	require.Same(t, m.Manager, x.Manager())
	require.Same(t, x, hosts.RequestFrom(context.WithValue(x, whoKey{}, 1)))
	require.Nil(t, hosts.RequestFrom(t.Context()))
	require.False(t, strings.Contains(context.WithValue(x, whoKey{}, 1).(interface{ String() string }).String(), "hush"))
}

// A runtime may show the bytes of a user agent as they came, decoded, or damaged:
// all are the same user agent.
func TestUserAgentsThatAreNotASCII(t *testing.T) {
	m := open(t, memory(t), hosts.Config{BindUserAgent: true})
	b := newBrowser()
	b.agent = "caf\xc3\xa9 \xe2\x82\xac/1.0"
	b.login(m, "ann")
	for _, same := range []string{"caf\xe9 \x80/1.0", "caf\ufffd \ufffd\ufffd/1.0"} {
		b.agent = same
		s, err := m.GetSessionFromCookie(many(m, b))
		require.NoError(t, err)
		require.Equal(t, "caf? ?/1.0", s.UserAgent)
	}
	b.agent = "cafe ?/1.0"
	_, err := m.GetSessionFromCookie(many(m, b))
	require.ErrorIs(t, err, core.ErrUserAgentChanged)
}

// TestAnotherFamily: an address of the other family ends nothing, and a login
// from it goes on with the session if it is the same user's.
func TestAnotherFamily(t *testing.T) {
	m := open(t, nil, hosts.Config{BindIPv4Bits: 32, BindIPv6Bits: 64})
	v6 := netip.MustParseAddr("2001:db8::1")
	ann := newBrowser()
	s := ann.login(m, "ann")
	require.NoError(t, m.Set(t.Context(), s.ID, "seat", "12A"))
	away := ann.clone()
	away.ip = v6
	_, err := away.session(m)
	require.ErrorIs(t, err, core.ErrIPFamily)
	require.Empty(t, away.set, "the cookie stays")
	require.NotEqual(t, s.ID, away.clone().login(m, "eve").ID)
	require.Equal(t, map[string]any{"seat": "12A"}, m.data(s.ID), "of her login nothing happens to it")

	again := away.login(m, "ann")
	require.Equal(t, s.ID, again.ID)
	require.Equal(t, "12A", again.Data["seat"])
	require.Equal(t, "192.0.2.7", again.IPAddress)
	for _, ip := range []netip.Addr{v6, ann.ip} {
		away.ip = ip
		_, err := away.session(m)
		require.NoError(t, err)
	}

	other := newBrowser()
	id := other.login(m, "ann").ID
	other.ip = v6
	x := other.ask(m)
	defer x.Close()
	_, err = m.Resume(x)
	require.ErrorIs(t, err, core.ErrIPFamily)
	fresh, err := core.AppendValue(nil, "22B")
	require.NoError(t, err)
	c := m.New(x)
	require.NoError(t, c.SetValue("next", fresh))
	_, err = m.Commit(x, c)
	require.ErrorIs(t, err, core.ErrIPFamily, "or the cookie of another session would take the place of theirs")
	require.ErrorIs(t, m.SignIn(x, "", hosts.Login{}), core.ErrBadUser)
	require.NoError(t, m.SignIn(x, "ann", hosts.Login{}))
	signedIn := x.Current()
	require.Equal(t, id, signedIn.ID())
	_, ok := signedIn.Value("next")
	require.True(t, ok, "what the request put goes along")
	require.NoError(t, m.Destroy(t.Context(), id)) // meanwhile
	stored, err := m.Commit(x, signedIn)
	require.NoError(t, err, "a login is never refused")
	require.NotEqual(t, id, stored.ID())
}
