// An application on gorilla/mux with sessions in memory.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./gorilla
package main

import (
	"cmp"
	"errors"
	"html/template"
	"log"
	"net/http"
	"os"

	"github.com/gorilla/mux"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func main() { log.Fatal(run()) }

func run() error {
	key, err := hosts.KeyFromEnv("SESSION_ENCRYPTION_KEY")
	if err != nil {
		return err
	}
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		return err
	}
	manager, err := hosts.New(store, hosts.Config{Key: key})
	if err != nil {
		return err
	}
	mw, err := nethttp.New(manager, nethttp.Options{})
	if err != nil {
		return err
	}
	addr := cmp.Or(os.Getenv("ADDR"), "localhost:8080")
	log.Printf("http://%s (alice / wonderland)", addr)
	return http.ListenAndServe(addr, routes(mw))
}

func routes(mw *nethttp.Middleware) http.Handler {
	r := mux.NewRouter()
	r.Use(http.NewCrossOriginProtection().Handler, mw.Handler)
	r.Handle("/", page(home)).Methods("GET")
	r.Handle("/login", page(login)).Methods("POST")
	r.Handle("/logout", page(logout)).Methods("POST")
	account := r.PathPrefix("/account").Subrouter()
	account.Use(mw.Require)
	account.Handle("", page(home)).Methods("GET")
	return r
}

var body = template.Must(template.New("").Parse(`<!doctype html><title>gorilla/mux</title>
<p>{{.Flash}}</p><p>visit {{.Visits}}</p>
{{if .User}}<form method="post" action="/logout">{{.User}} <button>sign out</button></form>
{{else}}<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>sign in</button></form>{{end}}
<a href="/account">account</a>`))

func home(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
	visits, err := s.Add("visits", 1) // requests at the same moment all count
	if err != nil {
		return err
	}
	flash, err := s.Take("flash") // of two tabs, one shows it
	if err != nil && !errors.Is(err, hosts.ErrNoValue) {
		return err
	}
	return body.Execute(w, map[string]any{"Flash": flash, "Visits": visits, "User": s.User()})
}

func login(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
	if r.FormValue("user") != "alice" || r.FormValue("password") != "wonderland" { // your users stand here
		http.Error(w, "Wrong user or password.", http.StatusForbidden)
		return nil
	}
	if err := s.Login("alice", 0); err != nil {
		return err
	}
	if err := s.Put("flash", "Welcome, alice."); err != nil {
		return err
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}

func logout(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
	if err := s.Destroy(); err != nil { // at once, also for requests in flight
		return err
	}
	if err := s.Put("flash", "You are signed out."); err != nil { // in a new session
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func page(f func(http.ResponseWriter, *http.Request, *nethttp.Session) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.From(r)
		if err == nil {
			err = f(w, r, s)
		}
		if err != nil {
			log.Print(err)
			status, text := nethttp.Failure(err)
			http.Error(w, text, status)
		}
	}
}
