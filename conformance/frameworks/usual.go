package frameworks

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// with answers 200 with what f returns.
func with(f func(s *nethttp.Session) (string, error)) func(Ctx) error {
	return func(c Ctx) error {
		s, err := c.Session()
		if err != nil {
			return err
		}
		text, err := f(s)
		if err != nil {
			return err
		}
		return c.Text(http.StatusOK, text)
	}
}

// user is a page that shows who is signed in.
var user = with(func(s *nethttp.Session) (string, error) { return "user:" + s.User(), nil })

// usual are the routes that every application has.
func usual() []Route {
	return []Route{
		{Path: "/login", Handle: with(func(s *nethttp.Session) (string, error) { return "welcome", s.Login("alice", 0) })},
		{Path: "/logout", Handle: with(func(s *nethttp.Session) (string, error) { return "bye", s.Destroy() })},
		{Path: "/user", Handle: user},
		{Path: "/account", Handle: user, Private: true},
		{Path: "/fresh", Handle: user, Fresh: 10 * time.Minute},
		{Path: "/otp", Handle: user, Methods: []string{"otp"}},
		{Path: "/confirm", Handle: with(func(s *nethttp.Session) (string, error) { return "confirmed", s.Confirm("pwd", "otp") })},
		{Path: "/plain", Handle: func(c Ctx) error { return c.Text(http.StatusOK, "plain") }},
		{Path: "/add", Handle: with(func(s *nethttp.Session) (string, error) {
			n, err := s.Add("n", 1)
			return fmt.Sprint(n), err
		})},
		{Path: "/n", Handle: with(func(s *nethttp.Session) (string, error) {
			n, err := hosts.Get[int64](s, "n")
			return fmt.Sprint(n), err
		})},
		{Path: "/note", Handle: func(c Ctx) error { return note(c) }},
		{Path: "/", Handle: with(func(s *nethttp.Session) (string, error) {
			flash, err := s.Take("flash")
			if errors.Is(err, hosts.ErrNoValue) {
				return "no flash", nil
			}
			return fmt.Sprint(flash), err
		})},
	}
}

// note leaves a flash message and sends the visitor home.
func note(c Ctx) error {
	s, err := c.Session()
	if err == nil {
		err = s.Put("flash", "noted")
	}
	if err != nil {
		return err
	}
	return c.Redirect("/")
}
