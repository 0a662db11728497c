package readme

import (
	"fmt"
	"net/http"
	"os"

	"github.com/rockstar-web/sessions"
)

var (
	visits = sessions.Counter("visits")
	cart   = sessions.Value[[]string]("cart")
)

func home(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	n, err := visits.Add(s, 1) // requests at the same moment all count
	if err != nil {
		return err
	}
	items, err := cart.Get(s) // none at first
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "visit %d of %q, in the cart: %q\n", n, s.User(), items)
	return nil
}

func add(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	err := cart.Update(s, func(items []string) ([]string, error) { // runs again if another request was faster
		return append(items, r.FormValue("item")), nil
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func login(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	user, password := r.FormValue("user"), r.FormValue("password")
	if password == "" || password != os.Getenv("PASSWORD_OF_"+user) { // your own check comes here
		return &sessions.StatusError{Status: http.StatusForbidden, Text: "Wrong name or password."}
	}
	if err := s.Login(user, 0); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func logout(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if err := s.Destroy(); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
