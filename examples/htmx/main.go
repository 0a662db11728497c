// Pages with htmx and sessions in memory: a button that counts, a login without a
// whole new page, and a fragment for signed-in visitors.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./htmx
package main

import (
	"cmp"
	"fmt"
	"html/template"
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
	clicks = sessions.Counter("clicks")
	flash  = sessions.Value[string]("flash")
)

func routes(app *sessions.Middleware) http.Handler {
	private := http.NewServeMux()
	private.Handle("GET /account/secret", app.HandlerFunc(secret))
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", app.HandlerFunc(home))
	mux.Handle("POST /count", app.HandlerFunc(count))
	mux.Handle("POST /login", app.HandlerFunc(login))
	mux.Handle("POST /logout", app.HandlerFunc(logout))
	mux.Handle("/account/", app.Require(private)) // signed-in visitors only
	return http.NewCrossOriginProtection().Handler(app.Handler(mux))
}

var body = template.Must(template.New("").Parse(`<!doctype html><title>htmx</title>
<script src="https://unpkg.com/htmx.org@2"></script>
<p>{{.Flash}}</p>
<button hx-post="/count">count</button>
<button hx-get="/account/secret">secret</button>
{{if .User}}<button hx-post="/logout">sign out {{.User}}</button>
{{else}}<form hx-post="/login" hx-target="#wrong"><input name="user"><input name="password" type="password"><button>sign in</button><p id="wrong"></p></form>{{end}}`))

func home(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
	text, _, err := flash.Take(s) // of two tabs, one shows it
	if err != nil {
		return err
	}
	return body.Execute(w, map[string]any{"Flash": text, "User": s.User()})
}

func count(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
	n, err := clicks.Add(s, 1) // requests at the same moment all count
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(w, "click ", n)
	return err
}

func secret(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
	_, err := fmt.Fprint(w, "only for ", template.HTMLEscapeString(s.User()))
	return err
}

func login(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if r.FormValue("user") != "alice" || r.FormValue("password") != "wonderland" { // your own check comes here
		_, err := fmt.Fprint(w, "Wrong name or password.") // with 200: htmx shows no other
		return err
	}
	if err := s.Login("alice", 0); err != nil {
		return err
	}
	if err := flash.Put(s, "Welcome, alice."); err != nil {
		return err
	}
	show(w, r, "/")
	return nil
}

func logout(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	if err := s.Destroy(); err != nil { // at once, also for requests in flight
		return err
	}
	if err := flash.Put(s, "You are signed out."); err != nil { // in a new session
		return err
	}
	show(w, r, "/")
	return nil
}

// show has the browser load a whole new page. A redirect would be followed by htmx
// itself, and its page put in place of what was clicked.
func show(w http.ResponseWriter, r *http.Request, path string) {
	if r.Header.Get("HX-Request") == "" {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return
	}
	w.Header().Set("HX-Redirect", path)
}
