package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/examples/internal/click"
)

func TestMain(m *testing.M) { click.Main(m, main) }

func signIn(t *testing.T, b *click.Browser, password string) {
	status, text := b.Post("/login", url.Values{"user": {"alice"}, "password": {password}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "alice, signed in by [pwd]")
}

func TestAccount(t *testing.T) {
	here := click.Start(t)
	there := here.Another()
	status, _ := here.Post("/login", url.Values{"user": {"alice"}, "password": {"wrong"}})
	require.Equal(t, http.StatusForbidden, status)
	signIn(t, here, "wonderland")
	signIn(t, there, "wonderland")

	_, text := here.Get("/devices")
	require.Contains(t, text, "Unknown browser")
	status, text = there.Get("/unread")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "0\n", text)

	// The other browser is out with its next request, this one goes on.
	status, text = here.Post("/password", url.Values{"new": {"looking glass"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "alice, signed in by [pwd]")
	status, _ = there.Get("/unread")
	require.Equal(t, http.StatusUnauthorized, status)
	_, text = there.Get("/session")
	require.Contains(t, text, `"signed_in":false`)
	status, _ = there.Post("/login", url.Values{"user": {"alice"}, "password": {"wonderland"}})
	require.Equal(t, http.StatusForbidden, status)

	status, text = here.Post("/confirm", url.Values{"password": {"looking glass"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "alice")
	_, text = here.Get("/confirm?return_to=/devices")
	require.Contains(t, text, `name="return_to" value="/devices"`)

	// The fourth sign-in ends the oldest session.
	for range 3 {
		signIn(t, here.Another(), "looking glass")
	}
	_, text = here.Get("/session")
	require.Contains(t, text, `"signed_in":false`)
}
