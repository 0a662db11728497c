package tests

import (
	"context"
	"errors"
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// refused opens a store in vain: the error is of the kind, says what helps, and
// shows no password.
func (w *world) refused(change func(*url.URL), kind error, remedy string) {
	w.Helper()
	s, err := w.open(w.Context(), w.at(change))
	require.Nil(w, s)
	require.ErrorIs(w, err, kind)
	require.ErrorContains(w, err, w.dialect.Name())
	require.ErrorContains(w, err, remedy)
	require.NotContains(w, err.Error(), secret)
}

func TestAnUnreachableServerIsTold(t *testing.T) {
	everywhere(t, func(w *world) {
		known := func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) }
		w.refused(func(u *url.URL) { known(u); u.Host = nobodyListens(w) }, hosts.ErrUnavailable, "look at the address")
		w.refused(func(u *url.URL) { known(u); u.Host = "no-such-host.invalid" }, hosts.ErrUnavailable, "look at the address")
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		_, err := w.open(ctx, w.at(nil))
		require.ErrorIs(w, err, context.Canceled)
	})
}

// nobodyListens returns an address that was free a moment ago.
func nobodyListens(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestAWrongLoginIsTold(t *testing.T) {
	everywhere(t, func(w *world) {
		login := w.newUser()
		if w.name == "mysql" { // the server of PostgreSQL trusts everybody
			w.refused(func(u *url.URL) { u.User = url.UserPassword(user(w.table), "not-"+secret) }, hosts.ErrUnavailable, "user and password")
		}
		w.refused(func(u *url.URL) { u.User = url.UserPassword("nobody", secret) }, hosts.ErrUnavailable, "user and password")
		w.refused(func(u *url.URL) { login(u); u.Path = "/no_such_database" }, hosts.ErrUnavailable, "")
	})
}

func TestMissingRightsAreTold(t *testing.T) {
	everywhere(t, func(w *world) {
		login := w.newUser()
		if w.name == "mysql" {
			w.run(w.mayRead)
		}
		text, err := dbstore.Schema(w.dialect, w.table)
		require.NoError(w, err)
		w.refused(login, hosts.ErrUnavailable, text)
		w.run(text)
		w.run(w.mayRead)
		w.refused(login, hosts.ErrUnavailable, "grant SELECT, INSERT, UPDATE and DELETE")
		w.run(w.mayWrite)
		s := w.store(login)
		w.holds(s, w.save(s, record(1), core.NoVersion))
	})
}

func TestAMissingRightToReadTheCompanionIsTold(t *testing.T) {
	everywhere(t, func(w *world) {
		login := w.newUser()
		text, err := dbstore.Schema(w.dialect, w.table)
		require.NoError(w, err)
		w.run(text)
		w.run(w.tableOnly)
		quote := w.dialect.Syntax().Quote
		w.refused(login, hosts.ErrUnavailable, "grant SELECT on "+quote+w.table+"_schema"+quote)
	})
}

func TestAServerThatOnlyReadsIsTold(t *testing.T) {
	everywhereAlone(t, func(w *world) {
		s := w.store(nil)
		r := w.save(s, record(1), core.NoVersion)
		if w.name == "postgres" {
			w.refused(func(u *url.URL) { u.RawQuery += "&default_transaction_read_only=on" }, hosts.ErrUnavailable, "connect to the primary")
			login := w.newUser()
			w.run(w.mayRead)
			w.run(w.mayWrite)
			reads := w.store(login)
			w.run("ALTER ROLE {user} SET default_transaction_read_only = on")
			_ = w.count("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{user}'")
			for range 64 { // until no connection of before is left
				if err := reads.Save(w.Context(), after(r), r.Version); errors.Is(err, hosts.ErrRefused) {
					break
				}
			}
			w.holds(reads, r)
			w.refusesSaves(reads, r, "connect to the primary")
			return
		}
		login := w.newUser() // who has no right to write on a server that only reads
		w.run(w.mayWrite)
		s = w.store(login)
		w.run("SET GLOBAL read_only = 1")
		defer w.run("SET GLOBAL read_only = 0")
		w.refused(login, hosts.ErrUnavailable, "connect to the primary")
		w.holds(s, r)
		w.refusesSaves(s, r, "connect to the primary")
	}, "mysql")
}

// refusesSaves holds a store that may not write to the answer that certainly
// nothing was changed: nobody is left to wonder whether it was.
func (w *world) refusesSaves(s *dbstore.Store, r core.Record, remedy string) {
	w.Helper()
	err := s.Save(w.Context(), after(r), r.Version)
	require.ErrorIs(w, err, hosts.ErrRefused)
	require.ErrorContains(w, err, remedy)
	for _, err := range s.SaveMany(w.Context(), []hosts.Saving{{Record: after(r), Prev: r.Version}, {Record: record(2)}}) {
		require.ErrorIs(w, err, hosts.ErrRefused)
		require.NotErrorIs(w, err, hosts.ErrBatch, "halves would fare no better")
	}
}

func TestASaveWithoutTheRightIsRefused(t *testing.T) {
	everywhere(t, func(w *world) {
		owner := w.store(nil)
		r := w.save(owner, record(1), core.NoVersion)
		login := w.newUser()
		w.run(w.mayRead)
		w.run(w.tableOnly)
		reads := w.store(login)
		w.run(w.mayNoMore)
		w.holds(reads, r)
		w.refusesSaves(reads, r, "grant SELECT, INSERT, UPDATE and DELETE")
	})
}

func TestBadConfigurationIsRefused(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, change := range []string{"table=a;b", "table=A", "table=1a", "table=a.b.c", "table=%22a%22", "migrate=perhaps", "max_conns=many", "max_conns=-1"} {
			u, err := url.Parse(w.url(w))
			require.NoError(w, err)
			u.User = url.UserPassword(u.User.Username(), secret)
			s, err := w.open(w.Context(), u.Scheme+"://"+u.User.String()+"@"+u.Host+u.Path+"?"+change)
			require.Nil(w, s)
			var refused *hosts.ConfigError
			require.ErrorAs(w, err, &refused, change)
			require.NotContains(w, err.Error(), secret)
		}
		for _, bad := range []string{"", "nonsense", "http://" + secret, "%zz" + secret, w.driver + "://a:" + secret + "@host:port/d",
			"postgres://a:" + secret + "@h/d?sslmode=perhaps", "mysql://a:" + secret + "@h/", "mysql://a:" + secret + "@h/d/e",
			"mysql://a:" + secret + "@h/d?tls=perhaps", "mysql://a:" + secret + "@h/d?tls_ca=x", "mysql://a:" + secret + "@h/d?colour=red",
			"postgres://a:" + secret + "%@h/d", "mysql://a:" + secret + "%@h/d", "postgres://a:" + secret + "@h/d?%zz", "mysql://a:" + secret + "@h/d?%zz"} {
			if bad == "" && w.name == "postgres" {
				continue // the driver takes everything from the environment
			}
			s, err := w.open(w.Context(), bad)
			require.Nil(w, s)
			require.Error(w, err, bad)
			require.NotContains(w, err.Error(), secret, bad)
		}
	})
}
