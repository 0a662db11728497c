package core

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxAgeOf reads Max-Age in seconds; -1 if there is none.
func maxAgeOf(t *testing.T, cookie string) int {
	t.Helper()
	_, rest, ok := strings.Cut(cookie, "Max-Age=")
	if !ok {
		return -1
	}
	digits, _, _ := strings.Cut(rest, ";")
	n, err := strconv.Atoi(digits)
	require.NoError(t, err)
	return n
}

// TestExpiry: the last millisecond of a session is live and the next is not.
func TestExpiry(t *testing.T) {
	const month = 30 * Day
	for _, c := range []struct {
		what     string
		p        Policy
		lifetime Time // of the login; -1: nobody signs in
		ends     Time
		want     *Refusal
	}{
		{"default", Policy{}, 0, 24 * Hour, ErrExpired},
		{"deadline", Policy{Lifetime: 90 * Second}, 0, 90 * Second, ErrExpired},
		{"shortest", Policy{Lifetime: Second}, 0, Second, ErrExpired},
		{"idle", Policy{IdleTimeout: 30 * Minute}, 0, 30 * Minute, ErrIdle},
		{"idle of a millisecond", Policy{IdleTimeout: 1}, 0, 1, ErrIdle},
		{"idle at the deadline", Policy{IdleTimeout: Hour, Lifetime: Hour}, 0, Hour, ErrIdle},
		{"idle after the deadline", Policy{IdleTimeout: 2 * Hour, Lifetime: Hour}, 0, Hour, ErrExpired},
		{"anonymous", Policy{}, -1, Hour, ErrExpired},
		{"anonymous and short", Policy{Lifetime: Minute}, -1, Minute, ErrExpired},
		{"anonymous, own", Policy{AnonymousLifetime: 2 * Hour}, -1, 2 * Hour, ErrExpired},
		{"remember me", Policy{}, month, month, ErrExpired},
		{"remember me, idle", Policy{IdleTimeout: Day}, month, Day, ErrIdle},
		{"own lifetime, shorter", Policy{}, Minute, Minute, ErrExpired},
		{"longest", Policy{}, MaxLifetime, MaxLifetime, ErrExpired},
	} {
		m := testMachine(t, c.p)
		g := given{}
		if c.lifetime < 0 {
			g = anonymous(t, m, testNow)
		} else {
			g = signIn(t, m, Request{}, c.lifetime, testNow)
		}
		require.Equal(t, testNow+c.ends, g.rec.ExpiresAt, c.what)
		ticket := g.ticket(t, m, testNow)
		for _, trusted := range []Ticket{ticket, ByID(g.rec.ID)} {
			_, err := m.Resume(trusted, g.rec, Request{}, testNow+c.ends-1)
			require.NoError(t, err, c.what)
			for _, late := range []Time{0, 1, DefaultRetention, DefaultRetention + 1, 1000 * Day} {
				_, err = m.Resume(trusted, g.rec, Request{}, testNow+c.ends+late)
				require.ErrorIs(t, err, c.want, "%s: the reason stays the same", c.what)
			}
		}
	}
	require.Equal(t, Hour, testMachine(t, Policy{}).Policy().Retention)
}

// TestIdlePolicyMayChange: the clear ExpiresAt counts, since a sweep goes by it.
func TestIdlePolicyMayChange(t *testing.T) {
	g := signIn(t, testMachine(t, Policy{IdleTimeout: Minute}), Request{}, 0, testNow)
	_, err := g.try(t, testMachine(t, Policy{}), Request{}, testNow+Minute)
	require.ErrorIs(t, err, ErrIdle)
	g = signIn(t, testMachine(t, Policy{}), Request{}, 0, testNow)
	_, err = g.try(t, testMachine(t, Policy{IdleTimeout: Minute}), Request{}, testNow+Minute)
	require.ErrorIs(t, err, ErrIdle)
}

func TestRefresh(t *testing.T) {
	const month = 30 * Day
	for _, c := range []struct {
		what     string
		p        Policy // of the refresh; the login had the default
		lifetime Time
		at, want Time
	}{
		{"moves on", Policy{}, 0, 10 * Hour, 34 * Hour},
		{"keeps remember-me", Policy{}, month, 10 * Day, 40 * Day},
		{"never shorter", Policy{Lifetime: Hour}, 0, Hour, 24 * Hour},
		{"nor by a shorter maximum", Policy{Lifetime: Hour, MaxLifetime: 2 * Hour}, 0, Hour, 24 * Hour},
		{"not past the maximum", Policy{MaxLifetime: 30 * Hour}, 0, 10 * Hour, 30 * Hour},
		{"own lifetime, shorter", Policy{}, Hour, Minute, Hour + Minute},
	} {
		g := signIn(t, testMachine(t, Policy{}), Request{}, c.lifetime, testNow)
		m, now := testMachine(t, c.p), testNow+c.at
		s := g.resume(t, m, now)
		require.NoError(t, s.Refresh())
		e := commit(t, m, s, now, 2)
		require.Equal(t, testNow+c.want, e.Next.Deadline(), c.what)
		require.Equal(t, DidRefresh, e.Did&^DidTouch, c.what)
		require.Len(t, e.Cookies, 1)
		require.Equal(t, int((c.want-c.at)/Second), maxAgeOf(t, e.Cookies[0]), c.what)
	}
}

// TestMaxLifetimeRunsFromLogin: refreshes reach it and stop; a login begins anew.
func TestMaxLifetimeRunsFromLogin(t *testing.T) {
	m := testMachine(t, Policy{Lifetime: Hour, MaxLifetime: 3 * Hour})
	g := signIn(t, m, Request{}, 0, testNow)
	for n := range Time(5) {
		now := testNow + n*30*Minute
		s := g.resume(t, m, now)
		require.NoError(t, s.Refresh())
		g = received(commit(t, m, s, now, uint64(n)+2))
		require.Equal(t, min(now+Hour, testNow+3*Hour), g.rec.ExpiresAt)
	}
	now := testNow + 150*Minute
	s := g.resume(t, m, now)
	require.NoError(t, s.Login("alice", 0))
	require.Equal(t, now+Hour, received(commit(t, m, s, now, 9)).rec.ExpiresAt)
}

func TestSetLifetime(t *testing.T) {
	m := testMachine(t, Policy{MaxLifetime: 60 * Day})
	s := signIn(t, m, Request{}, 0, testNow).resume(t, m, testNow)
	for _, bad := range []Time{0, -1, 60*Day + 1} {
		require.ErrorIs(t, s.SetLifetime(bad), ErrLifetime)
	}
	require.ErrorIs(t, s.Login("alice", 60*Day+1), ErrLifetime)
	require.ErrorIs(t, s.Login("alice", -1), ErrLifetime)
	require.NoError(t, s.SetLifetime(Minute))
	e := commit(t, m, s, testNow, 2)
	require.Equal(t, testNow+Minute, e.Next.Deadline(), "set by hand it may be shorter")
	require.Equal(t, 60, maxAgeOf(t, e.Cookies[0]))
	for what, also := range map[string]func(*Session) error{
		"lifetime": func(s *Session) error { return s.SetLifetime(Minute) },
		"login":    func(s *Session) error { return s.Login("alice", Minute) },
	} {
		s = signIn(t, m, Request{}, 0, testNow).resume(t, m, testNow)
		require.NoError(t, s.Refresh())
		require.NoError(t, also(s))
		require.Equal(t, testNow+Minute, commit(t, m, s, testNow, 3).Next.Deadline(), "%s with a refresh", what)
	}
}

// TestTouchesAreFew: whoever only reads, however often, has his use noted at
// most sixteen times in an idle period, and never idles out.
func TestTouchesAreFew(t *testing.T) {
	for _, c := range []struct{ idle, every Time }{
		{30 * Minute, Second}, {30 * Minute, 100 * Second}, {10 * Minute, Second}, {Minute, Second}, {17 * Second, Second},
		{Second, 1}, {1001, 1}, {999, 7},
	} {
		m := testMachine(t, Policy{IdleTimeout: c.idle})
		g := signIn(t, m, Request{}, 0, testNow)
		var writes []Time
		for now := testNow; now < testNow+3*c.idle; now += c.every {
			s := g.resume(t, m, now)
			e := commit(t, m, s, now, uint64(now-testNow)+2)
			if e.Save == nil {
				continue
			}
			require.True(t, e.Touch)
			require.Empty(t, e.Cookies, "a touch sends no cookie")
			g.rec = *e.Save
			writes = append(writes, now)
			within := slices.IndexFunc(writes, func(w Time) bool { return w > now-c.idle })
			require.LessOrEqual(t, len(writes)-within, 16, "%+v", c)
		}
		require.Greater(t, len(writes), 3)
	}
}

func TestTouchWithoutIdleTimeout(t *testing.T) {
	for lifetime, quantum := range map[Time]Time{24 * Hour: Hour, 100 * Day: Hour, 16 * Minute: Minute} {
		m := testMachine(t, Policy{})
		g := signIn(t, m, Request{}, lifetime, testNow)
		require.False(t, m.Pending(g.resume(t, m, testNow+quantum-1), testNow+quantum-1))
		require.True(t, m.Pending(g.resume(t, m, testNow+quantum), testNow+quantum))
	}
}

// TestClockBackwards: neither SeenAt nor the expiry goes back with a clock.
func TestClockBackwards(t *testing.T) {
	m := testMachine(t, Policy{IdleTimeout: Hour})
	g := signIn(t, m, Request{}, 0, testNow)
	back := testNow - 30*Minute
	s := g.resume(t, m, back)
	put(t, s, "k", 1)
	e := commit(t, m, s, back, 2)
	require.Equal(t, testNow, e.Save.SeenAt)
	require.Equal(t, g.rec.ExpiresAt, e.Save.ExpiresAt)
	s = g.resume(t, m, back)
	require.NoError(t, s.Refresh())
	e = commit(t, m, s, back, 3)
	require.Equal(t, testNow+24*Hour, e.Next.Deadline())
	require.False(t, m.Pending(g.resume(t, m, back), back))
}

func TestMaxAge(t *testing.T) {
	const month = 30 * Day
	for _, c := range []struct {
		what     string
		p        Policy
		lifetime Time
		want     int
	}{
		{"default", Policy{}, 0, 86400},
		{"remember me", Policy{}, month, 30 * 86400},
		{"longest", Policy{}, MaxLifetime, 34_560_000},
		{"not the idle timeout", Policy{IdleTimeout: Minute}, 0, 86400},
		{"rounded up", Policy{Lifetime: 1500}, 0, 2},
		{"with the browser", Policy{EndWithBrowser: true}, 0, -1},
		{"with the browser, but remembered", Policy{EndWithBrowser: true}, month, 30 * 86400},
	} {
		m := testMachine(t, c.p)
		s := m.New(Request{})
		require.NoError(t, s.Login("alice", c.lifetime))
		e := commit(t, m, s, testNow, 1)
		require.Equal(t, c.want, maxAgeOf(t, e.Cookies[0]), c.what)
		again, err := m.Cookie(e.Next, testNow, numbered(2))
		require.NoError(t, err)
		require.Equal(t, c.want, maxAgeOf(t, again[0]), c.what)
	}
}
