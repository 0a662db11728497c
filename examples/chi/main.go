// An application on chi with sessions in an SQLite file.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./chi
package main

import (
	"cmp"
	"context"
	"html/template"
	"log"
	"net/http"
	"os"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
)

func main() { log.Fatal(run()) }

func run() error {
	store, err := sqlite.Open(context.Background(), "sessions.db", sqlite.Options{})
	if err != nil {
		return err
	}
	app, err := sessions.New(store, sessions.Config{}, sessions.Options{LoginPath: "/"}) // its key is in SESSION_ENCRYPTION_KEY
	if err != nil {
		return err
	}
	addr := cmp.Or(os.Getenv("ADDR"), "localhost:8080")
	log.Printf("http://%s (alice / wonderland)", addr)
	return http.ListenAndServe(addr, routes(app))
}

var (
	visits = sessions.Counter("visits")
	flash  = sessions.Value[string]("flash")
)

func routes(app *sessions.Middleware) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer, http.NewCrossOriginProtection().Handler, app.Handler)
	r.Method("GET", "/", app.HandlerFunc(home))
	r.Method("POST", "/login", app.HandlerFunc(login))
	r.Method("POST", "/logout", app.HandlerFunc(logout))
	r.Group(func(r chi.Router) {
		r.Use(app.Require) // signed-in visitors only
		r.Method("GET", "/account", app.HandlerFunc(home))
	})
	return r
}

var body = template.Must(template.New("").Parse(`<!doctype html><title>chi</title>
<p>{{.Flash}}</p><p>visit {{.Visits}}</p>
{{if .User}}<form method="post" action="/logout">{{.User}} <button>sign out</button></form>
{{else}}<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>sign in</button></form>{{end}}
<a href="/account">account</a>`))

func home(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
	n, err := visits.Add(s, 1) // requests at the same moment all count
	if err != nil {
		return err
	}
	text, _, err := flash.Take(s) // of two tabs, one shows it
	if err != nil {
		return err
	}
	return body.Execute(w, map[string]any{"Flash": text, "Visits": n, "User": s.User()})
}

func login(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if r.FormValue("user") != "alice" || r.FormValue("password") != "wonderland" { // your own check comes here
		return &sessions.StatusError{Status: http.StatusForbidden, Text: "Wrong name or password."}
	}
	if err := s.Login("alice", 0); err != nil {
		return err
	}
	if err := flash.Put(s, "Welcome, alice."); err != nil {
		return err
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}

func logout(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if err := s.Destroy(); err != nil { // at once, also for requests in flight
		return err
	}
	if err := flash.Put(s, "You are signed out."); err != nil { // in a new session
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
