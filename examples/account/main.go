// An account page: a password that can be changed, a limit of sessions, a fresh sign-in
// before sensitive pages, a poll that is no use of the session, a warning before its end,
// and the devices page.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./account
package main

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts/console"
)

func main() { log.Fatal(run()) }

func run() error {
	store, err := cachestore.Open(cachestore.Options{}) // memory, for one process
	if err != nil {
		return err
	}
	accounts := newAccounts()
	app, err := sessions.New(store, sessions.Config{
		IdleTimeout: 15 * time.Minute,
		MaxPerUser:  3,                   // a fourth login ends the oldest session
		Credentials: accounts.credential, // a changed password ends the others
	}, sessions.Options{LoginPath: "/", ConfirmPath: "/confirm"}) // its key is in SESSION_ENCRYPTION_KEY
	if err != nil {
		return err
	}
	handler, err := routes(app, accounts)
	if err != nil {
		return err
	}
	addr := cmp.Or(os.Getenv("ADDR"), "localhost:8080")
	log.Printf("http://%s (alice / wonderland)", addr)
	return http.ListenAndServe(addr, handler)
}

func routes(app *sessions.Middleware, a *accounts) (http.Handler, error) {
	devices, err := console.New(console.Options{Middleware: app})
	if err != nil {
		return nil, err
	}
	p := pages{app, a}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", app.HandlerFunc(p.home))
	mux.Handle("POST /login", app.HandlerFunc(p.login))
	mux.Handle("POST /logout", app.HandlerFunc(p.logout))
	mux.Handle("GET /unread", app.Quiet(app.HandlerFunc(p.unread))) // a poll keeps nobody signed in
	mux.Handle("GET /confirm", app.Require(app.HandlerFunc(p.home)))
	mux.Handle("POST /confirm", app.Require(app.HandlerFunc(p.confirm)))
	mux.Handle("POST /password", app.RequireFresh(10*time.Minute, app.HandlerFunc(p.password)))
	mux.Handle("/devices", devices)
	mux.Handle("/session", app.StatusHandler())
	mux.Handle("GET /session.js", app.ScriptHandler())
	return http.NewCrossOriginProtection().Handler(app.Handler(mux)), nil
}

type pages struct {
	app      *sessions.Middleware
	accounts *accounts
}

var body = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Account</title>
{{if .User}}<script src="{{.Script}}" data-status="/session" data-login="/" defer></script>
<p>{{.User}}, signed in by {{.Methods}}</p>
<form method="post" action="/password"><label>New password <input name="new" type="password"></label><button>Change it</button></form>
<form method="post" action="/confirm"><input type="hidden" name="return_to" value="{{.Next}}"><label>Password <input name="password" type="password"></label><button>Confirm that it is you</button></form>
<p><a href="/devices">Your devices</a></p>
<form method="post" action="/logout"><button>Log out</button></form>
{{else}}<form method="post" action="/login"><label>Name <input name="user"></label><label>Password <input name="password" type="password"></label><button>Sign in</button></form>{{end}}`))

func (p *pages) home(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	return body.Execute(w, map[string]any{"Next": sessions.ReturnTo(r, "/"), "User": s.User(), "Methods": s.Methods(), "Script": p.app.ScriptURL("/session.js")})
}

var errWrong = &sessions.StatusError{Status: http.StatusForbidden, Text: "Wrong name or password."}

func (p *pages) login(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	user := r.FormValue("user")
	stamp, ok := p.accounts.verify(user, r.FormValue("password"))
	if !ok {
		return errWrong
	}
	if err := s.LoginWith(user, sessions.Login{Stamp: stamp, Methods: []string{"pwd"}}); err != nil {
		return err
	}
	http.Redirect(w, r, sessions.ReturnTo(r, "/"), http.StatusSeeOther)
	return nil
}

func (p *pages) confirm(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if _, ok := p.accounts.verify(s.User(), r.FormValue("password")); !ok {
		return errWrong
	}
	if err := s.Confirm("pwd"); err != nil {
		return err
	}
	http.Redirect(w, r, sessions.ReturnTo(r, "/"), http.StatusSeeOther)
	return nil
}

func (p *pages) password(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if r.FormValue("new") == "" {
		return &sessions.StatusError{Status: http.StatusBadRequest, Text: "The new password is empty."}
	}
	if err := s.RenewWith(p.accounts.set(s.User(), r.FormValue("new"))); err != nil { // this browser stays
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (p *pages) unread(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
	if s.User() == "" {
		return sessions.ErrNotSignedIn
	}
	_, err := fmt.Fprintln(w, 0)
	return err
}

func (p *pages) logout(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if err := s.Destroy(); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// credential is asked about each request of somebody who is signed in.
func (a *accounts) credential(_ context.Context, _, user string) (string, error) {
	return a.stamp(user), nil
}
