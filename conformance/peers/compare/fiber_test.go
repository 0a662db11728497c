package compare

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/session"
)

type ofFiber struct{ m *session.Middleware }

// fiberSite has fiber's session middleware as its documentation shows it: in
// memory, and saved by the middleware when the handler has returned.
func fiberSite(_ *testing.T, handle func(http.ResponseWriter, *http.Request, request) error) http.Handler {
	sessions, store := session.NewWithStore()
	store.RegisterType([]string{})
	app := fiber.New()
	app.Use(sessions)
	app.Use(func(c fiber.Ctx) error {
		r, err := adaptor.ConvertRequest(c, true)
		if err != nil {
			return err
		}
		w := httptest.NewRecorder()
		if err := handle(w, r, ofFiber{session.FromContext(c)}); err != nil {
			return err
		}
		return c.Status(w.Code).Send(w.Body.Bytes())
	})
	return adaptor.FiberApp(app)
}

func (f ofFiber) user() string {
	user, _ := f.m.Get("user").(string)
	return user
}
func (f ofFiber) login(user string) error {
	err := f.m.Regenerate()
	f.m.Set("user", user)
	return err
}
func (f ofFiber) logout() error { return f.m.Destroy() }
func (f ofFiber) put(name, value string) error {
	f.m.Set(name, value)
	return nil
}
func (f ofFiber) append(name, value string) error {
	f.m.Set(name, append(f.list(name), value))
	return nil
}
func (f ofFiber) list(name string) []string {
	list, _ := f.m.Get(name).([]string)
	return list
}
func (f ofFiber) has(name string) bool { return f.m.Get(name) != nil }
