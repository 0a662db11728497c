package demo

import (
	"net/http"

	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// deviceTexts are in the words of the other pages.
var deviceTexts = console.Texts{
	Lead:         "Where you are signed in. A sign-out here takes effect at once, also for requests under way.",
	LogOut:       "Sign out",
	LogOutOthers: "Sign out all other devices",
	Alone:        "You are signed in on no other device.",
	Ended:        "That device is signed out.",
	EndedOthers:  "All other devices are signed out.",
	Own:          "This is the device that you are using. It was not signed out.",
}

// devicesPage is the library's, in the layout of this site.
func (s *site) devicesPage() (http.Handler, error) {
	return console.New(console.Options{
		Middleware: s.mw,
		Texts:      func(*http.Request) console.Texts { return deviceTexts },
		Render: func(w http.ResponseWriter, r *http.Request, status int, p console.Page) error {
			s.show(w, r, status, "devices", p.Texts.Title, p)
			return nil
		},
	})
}

// confirmPath is where users prove once more who they are.
const confirmPath = "/confirm"

func (s *site) confirmPage(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "confirm", "Confirm that it is you", "")
}

func (s *site) postConfirm(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if _, ok := authenticate(v.User(), r.PostForm.Get("password")); !ok {
		s.show(w, r, http.StatusForbidden, "confirm", "Confirm that it is you", "That is not the password.")
		return
	}
	if err := v.Confirm("pwd"); err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, nethttp.ReturnTo(r, "/"), http.StatusSeeOther)
}

func (s *site) postSignOutEverywhere(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err == nil {
		ctx, cancel := detached(r)
		defer cancel()
		_, err = v.SignOutEverywhere(ctx)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.again(w, r, "/signed-out/everywhere", "")
}
