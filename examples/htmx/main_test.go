package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/examples/internal/click"
)

func TestMain(m *testing.M) { click.Main(m, main) }

func TestStory(t *testing.T) {
	b := click.Start(t)
	b.Header.Set("HX-Request", "true")
	see := func(part string) func(int, string) {
		return func(status int, text string) {
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, text, part)
		}
	}
	see("click 1")(b.Post("/count", nil))
	click.Together(func() { b.Post("/count", nil) })
	see(fmt.Sprint("click ", click.AtOnce+2))(b.Post("/count", nil))
	see("sign in")(b.Get("/account/secret"))
	see("Wrong name or password.")(b.Post("/login", nil))
	see("Welcome, alice.")(b.Post("/login", click.Alice))
	see("only for alice")(b.Get("/account/secret"))
	_, text := b.Get("/")
	require.Contains(t, text, "<p></p>", "the flash is shown once")
	see("You are signed out.")(b.Post("/logout", nil))
	see("sign in")(b.Get("/account/secret"))

	// A browser without htmx is redirected.
	b.Header.Del("HX-Request")
	b.Header.Set("Accept", "text/html")
	see("sign in")(b.Get("/account/secret"))
}
