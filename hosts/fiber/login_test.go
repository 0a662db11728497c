package fibersessions_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestTheLoginPage knows why a visitor comes, and sends nobody to another site.
func TestTheLoginPage(t *testing.T) {
	mw, _ := open(t, nethttp.Options{})
	router := fiber.New()
	router.Use(fibersessions.New(mw))
	kept := make(chan string, 1)
	router.All("/login", func(c fiber.Ctx) error {
		to := fibersessions.ReturnTo(c, "/account")
		kept <- to
		return c.SendString(to + " " + fibersessions.LoginReason(c))
	})
	address := listen(t, router)
	for query, want := range map[string]string{
		"":                                      "/account ",
		"?return_to=%2Fcart%3Ftea%3D1":          "/cart?tea=1 ",
		"?return_to=%2F%2Fevil.example":         "/account ",
		"?return_to=https%3A%2F%2Fevil.example": "/account ",
		"?return_to=%2F%5Cevil.example":         "/account ",
		"?reason=idle":                          "/account Session timeout due to inactivity",
		"?reason=words+of+my+own":               "/account ",
	} {
		_, body, _ := get(t, visitor(t), address+"/login"+query)
		require.Equal(t, want, body, query)
		<-kept
	}
	client := visitor(t) // one connection, and so one context of fiber's
	resp, err := client.PostForm(address+"/login", url.Values{"return_to": {"/cart"}})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	to := <-kept
	for range 3 { // other requests use fasthttp's memory again
		resp, err := client.Post(address+"/login", "application/x-www-form-urlencoded", strings.NewReader("return_to=%2Fnone"))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "/none", <-kept)
	}
	require.Equal(t, "/cart", to)
}
