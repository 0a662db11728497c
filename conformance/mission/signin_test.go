package mission

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// signIn is what follows from a sign-in.
var signIn = []row{{"E45", aChangedPasswordEndsTheOthers}, {"E47", aFreshSignIn}}

func aChangedPasswordEndsTheOthers(t *testing.T, b backend) {
	var hash atomic.Value
	hash.Store("hash 1")
	stamp := func() string { return hash.Load().(string) }
	s := open(t, b, setup{Config: hosts.Config{Credentials: func(context.Context, string, string) (string, error) { return stamp(), nil }}})
	enter := func() *browser {
		browser := s.browser()
		browser.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
			require.NoError(t, v.LoginWith("ann", hosts.Login{Stamp: core.NewSecret(stamp()), Methods: []string{"pwd"}}))
			require.NoError(t, v.Put("cart", "tea"))
		}).is(http.StatusOK)
		return browser
	}
	own, phone := enter(), enter()
	for range 3 {
		own.get("/middleware/me").is(http.StatusOK)
		phone.get("/middleware/me").is(http.StatusOK)
	}
	own.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		hash.Store("hash 2")
		require.NoError(t, v.RenewWith("hash 2"))
	}).is(http.StatusOK)
	for range 2 {
		phone.get("/middleware/me").refused(core.ReasonCredentials)
		phone.get("/verbs/me").refused(core.ReasonCredentials)
		own.get("/middleware/me").is(http.StatusOK)
	}
	own.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		cart, err := v.Get("cart")
		require.NoError(t, err)
		require.Equal(t, "tea", cart)
		require.Equal(t, []string{"pwd"}, v.Methods())
	}).is(http.StatusOK)

	// It changes while a request is under way.
	own.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		hash.Store("hash 3")
		require.NoError(t, v.Put("cart", "coffee"))
	}).is(http.StatusUnauthorized)
	own.get("/middleware/me").refused(core.ReasonCredentials)
}

func aFreshSignIn(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{Lifetime: 24 * time.Hour, IdleTimeout: 2 * time.Hour}})
	ann := s.browser()
	ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		require.NoError(t, v.LoginWith("ann", hosts.Login{Methods: []string{"pwd"}}))
	}).is(http.StatusOK)
	fresh := s.mw.RequireFresh(10*time.Minute, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	otp := s.mw.RequireMethods(fresh, "otp")
	page := func(who *browser, h http.Handler) answer {
		return who.call("/call", h.ServeHTTP)
	}
	page(ann, fresh).is(http.StatusOK)
	page(ann, otp).refused(core.ReasonMethods)
	for range 3 { // uses and refreshes
		s.clock.pass(time.Hour)
		ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) { require.NoError(t, v.Refresh()) }).is(http.StatusOK)
		page(ann, fresh).refused(core.ReasonNotFresh)
	}
	thief := s.browser().give(ann.cookie())
	ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) { require.NoError(t, v.Confirm("otp")) }).is(http.StatusOK)
	page(ann, otp).is(http.StatusOK)
	page(thief, otp).refused(core.ReasonSuperseded)
	s.clock.pass(-time.Hour)
	page(ann, fresh).refused(core.ReasonNotFresh)
	s.clock.pass(time.Hour + 9*time.Minute)
	page(ann, otp).is(http.StatusOK)
	s.clock.pass(time.Minute)
	page(ann, fresh).refused(core.ReasonNotFresh)
}
