// Pages with htmx and sessions in memory: a button that counts, a login without a
// whole new page, and a fragment for signed-in visitors.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./htmx
package main

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"

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
	mw, err := nethttp.New(manager, nethttp.Options{Unauthorized: toLogin})
	if err != nil {
		return err
	}
	addr := cmp.Or(os.Getenv("ADDR"), "localhost:8080")
	log.Printf("http://%s (alice / wonderland)", addr)
	return http.ListenAndServe(addr, routes(mw))
}

func routes(mw *nethttp.Middleware) http.Handler {
	private := http.NewServeMux()
	private.HandleFunc("GET /account/secret", page(secret))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page(home))
	mux.HandleFunc("POST /count", page(count))
	mux.HandleFunc("POST /login", page(login))
	mux.HandleFunc("POST /logout", page(logout))
	mux.Handle("/account/", mw.Require(private))
	return http.NewCrossOriginProtection().Handler(mw.Handler(mux))
}

var body = template.Must(template.New("").Parse(`<!doctype html><title>htmx</title>
<script src="https://unpkg.com/htmx.org@2"></script>
<p>{{.Flash}}</p>
<button hx-post="/count">count</button>
<button hx-get="/account/secret">secret</button>
{{if .User}}<button hx-post="/logout">sign out {{.User}}</button>
{{else}}<form hx-post="/login" hx-target="#wrong"><input name="user"><input name="password" type="password"><button>sign in</button><p id="wrong"></p></form>{{end}}`))

func home(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
	flash, err := s.Take("flash") // of two tabs, one shows it
	if err != nil && !errors.Is(err, hosts.ErrNoValue) {
		return err
	}
	return body.Execute(w, map[string]any{"Flash": flash, "User": s.User()})
}

func count(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
	n, err := s.Add("clicks", 1) // requests at the same moment all count
	if err == nil {
		_, err = fmt.Fprint(w, "click ", n)
	}
	return err
}

func secret(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
	_, err := fmt.Fprint(w, "only for ", template.HTMLEscapeString(s.User()))
	return err
}

// to sends the browser to a whole new page. htmx would put what a redirect leads
// to into the element that was clicked.
func to(w http.ResponseWriter, r *http.Request, path string) {
	if r.Header.Get("HX-Request") == "" {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return
	}
	w.Header().Set("HX-Redirect", path)
}

// toLogin answers for Require.
func toLogin(w http.ResponseWriter, r *http.Request, _ error) {
	nethttp.NoStore(w.Header())
	w.Header().Add("Vary", "HX-Request")
	to(w, r, "/")
}

func login(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
	if r.FormValue("user") != "alice" || r.FormValue("password") != "wonderland" { // your users stand here
		_, err := fmt.Fprint(w, "Wrong user or password.") // with 200: htmx shows no other
		return err
	}
	if err := s.Login("alice", 0); err != nil {
		return err
	}
	if err := s.Put("flash", "Welcome, alice."); err != nil {
		return err
	}
	to(w, r, "/")
	return nil
}

func logout(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
	if err := s.Destroy(); err != nil { // at once, also for requests in flight
		return err
	}
	if err := s.Put("flash", "You are signed out."); err != nil { // in a new session
		return err
	}
	to(w, r, "/")
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
