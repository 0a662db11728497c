// Pages of templ with sessions in memory.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./templ
package main

import (
	"cmp"
	"log"
	"net/http"
	"os"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
)

func main() { log.Fatal(run()) }

func run() error {
	store, err := cachestore.Open(cachestore.Options{}) // memory, for one process
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

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.1118 generate

func routes(app *sessions.Middleware) http.Handler {
	private := http.NewServeMux()
	private.Handle("GET /account", app.HandlerFunc(home))
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", app.HandlerFunc(home))
	mux.Handle("POST /login", app.HandlerFunc(login))
	mux.Handle("POST /logout", app.HandlerFunc(logout))
	mux.Handle("/account", app.Require(private)) // signed-in visitors only
	return http.NewCrossOriginProtection().Handler(app.Handler(mux))
}

func home(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	n, err := visits.Add(s, 1) // requests at the same moment all count
	if err != nil {
		return err
	}
	text, _, err := flash.Take(s) // of two tabs, one shows it
	if err != nil {
		return err
	}
	return body(text, n, s.User()).Render(r.Context(), w)
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
