//go:build !race

package fibersessions_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/timeout"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestTimeoutOutside: nobody gets the answer of a handler that goes on, and what
// it did is stored, as with net/http. Without the race detector: fiber's error handler
// and the handler that goes on use one response, whatever middleware is between them.
func TestTimeoutOutside(t *testing.T) {
	mw, store := open(t, nethttp.Options{})
	answered, done := make(chan struct{}), make(chan struct{})
	app := fiber.New()
	inner := fibersessions.New(mw)
	app.Get("/", timeout.New(func(c fiber.Ctx) error {
		defer close(done)
		return inner(c)
	}, timeout.Config{Timeout: 20 * time.Millisecond}), use(func(c fiber.Ctx, s *nethttp.Session) error {
		<-answered
		return s.Put("n", 1)
	}))
	url := listen(t, app)
	status, _, h := get(t, visitor(t), url)
	require.Equal(t, http.StatusRequestTimeout, status)
	require.Empty(t, h["Set-Cookie"])
	close(answered)
	<-done
	require.Equal(t, 1, store.Stats().Sessions)
}
