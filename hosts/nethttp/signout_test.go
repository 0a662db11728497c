package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// fleet signs alice in at three browsers, and bob and a visitor at one each.
func fleet(s *site) (own *browser, others, strangers []*browser) {
	own = s.browser()
	others, strangers = []*browser{s.browser(), s.browser()}, []*browser{s.browser(), s.browser()}
	for _, b := range append(others, own) {
		b.login("alice")
	}
	strangers[0].login("bob")
	strangers[1].put("cart", 1)
	return own, others, strangers
}

func TestSignOutEverywhere(t *testing.T) {
	s := open(t, setup{})
	own, others, strangers := fleet(s)
	var ended int
	a := own.visit(func(v *nethttp.Session, _ http.ResponseWriter) (err error) {
		ended, err = v.SignOutEverywhere(t.Context())
		return err
	})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, 3, ended)
	require.Empty(t, own.cookie, "the browser forgets it")
	for _, b := range others {
		require.ErrorIs(t, b.refusal(), core.ErrNotFound)
	}
	require.Equal(t, "bob", strangers[0].user())
	require.NoError(t, strangers[1].refusal())
}

func TestSignOutOthers(t *testing.T) {
	s := open(t, setup{})
	own, others, strangers := fleet(s)
	stolen := own.copy()
	var ended int
	a := own.visit(func(v *nethttp.Session, _ http.ResponseWriter) (err error) {
		ended, err = v.SignOutOthers(t.Context())
		return err
	})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, 2, ended)
	require.Equal(t, "alice", own.user())
	require.ErrorIs(t, stolen.refusal(), core.ErrSuperseded, "a copy of the cookie ends, too")
	for _, b := range others {
		require.ErrorIs(t, b.refusal(), core.ErrNotFound)
	}
	require.Equal(t, "bob", strangers[0].user())
	require.NoError(t, strangers[1].refusal())
}

func TestSignOutNeedsSomebody(t *testing.T) {
	s := open(t, setup{})
	own, _, strangers := fleet(s)
	strangers[1].visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		_, err := v.SignOutEverywhere(t.Context())
		require.ErrorIs(t, err, nethttp.ErrNotSignedIn)
		_, err = v.SignOutOthers(t.Context())
		require.ErrorIs(t, err, nethttp.ErrNotSignedIn)
		return nil
	})
	require.NoError(t, strangers[1].refusal(), "visitors are not signed out by mistake")

	own.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		w.WriteHeader(http.StatusOK)
		_, err := v.SignOutOthers(t.Context())
		require.ErrorIs(t, err, nethttp.ErrHeadersSent, "too late for a new cookie")
		return nil
	})
	s.faults(always(conformance.Find, conformance.Fail))
	own.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		_, err := v.SignOutEverywhere(t.Context())
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		return nil
	})
	s.mend()
	require.Equal(t, "alice", own.user(), "to be tried again")
}
