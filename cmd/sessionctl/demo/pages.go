package demo

import (
	"bytes"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// page is what the layout shows around every page.
type page struct {
	Title, Path  string
	User, Tenant string
	Unasked      bool // who it is: an error page does not ask the session
	Theme        string
	Warning      string
	Style, Icon  string
	Script       string // of the one page that has some
	Timeout      string // the script that warns who is signed in before the session ends
	SignIn       string // where it leads afterwards: back to this page once they are signed in
	Sheet        string // of the one page that has a style sheet of its own
	Notice       string
	Content      any
}

// flash is a key of notices. One page takes it.
var flash = sessions.Value[string]("flash")

// notices are what a page may say after a form has led to it.
var notices = map[string]string{
	"signed-in":   "You are signed in. Your cookie has a new secret; a copy of the old one opens nothing.",
	"refreshed":   "The session is extended: its whole lifetime begins now.",
	"preferences": "Your preferences are saved in the session.",
	"other-user":  "Somebody else is signed in here by now, and nothing was done. This is their cart.",
	"noted":       "The note is saved in your session.",
}

func (s *site) pageRoutes(mux *http.ServeMux) error {
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /signin", func(w http.ResponseWriter, r *http.Request) {
		s.signInPage(w, r, http.StatusOK, signInForm{Next: r.FormValue("next")})
	})
	mux.HandleFunc("POST /signin", s.form(s.postSignIn))
	mux.HandleFunc("POST /signout", s.form(s.postSignOut))
	mux.HandleFunc("GET /signed-out", s.signedOut("You are signed out. This session can never come back."))
	mux.HandleFunc("GET /signed-out/everywhere", s.signedOut("You are signed out everywhere. None of these sessions can come back."))
	mux.HandleFunc("GET /prove", s.provePage)
	mux.HandleFunc("GET /cart", s.cartPage)
	mux.HandleFunc("POST /cart", s.form(s.postCart))
	mux.HandleFunc("GET /session", s.sessionPage)
	mux.Handle("/session/status", s.mw.StatusHandler())
	mux.Handle("GET /timeout.js", s.mw.ScriptHandler())
	mux.HandleFunc("POST /session/refresh", s.form(s.postRefresh))
	mux.HandleFunc("POST /session/preferences", s.form(s.postPreferences))
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /notes":               s.notesPage,
		"POST /notes":              s.form(s.postNote),
		"POST /notes/delete":       s.form(s.postNoteDelete),
		"GET " + confirmPath:       s.confirmPage,
		"POST " + confirmPath:      s.form(s.postConfirm),
		"POST /signout/everywhere": s.form(s.postSignOutEverywhere),
	} {
		mux.Handle(pattern, s.mw.Require(handler))
	}
	devices, err := s.devicesPage()
	if err != nil {
		return err
	}
	mux.Handle("/devices", devices)
	for _, a := range s.assets {
		mux.HandleFunc("GET "+a.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", a.mediaType)
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			_, _ = w.Write(a.body) // the browser has gone
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, http.StatusNotFound, "trouble", http.StatusText(http.StatusNotFound), "There is no such page.")
	})
	return nil
}

func (s *site) loadPages() error {
	s.pages = map[string]*template.Template{}
	for _, name := range []string{"home", "signin", "cart", "notes", "session", "devices", "confirm", "prove", "signedout", "trouble"} {
		t, err := template.New("layout.html").Funcs(template.FuncMap{
			"when": when, "left": func(t time.Time) string { return left(t.Sub(s.now())) },
			"money": money, "maxNote": func() int { return maxNote },
		}).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return err
		}
		s.pages[name] = t
	}
	return nil
}

// form reads a form before its handler does.
func (s *site) form(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var long *http.MaxBytesError
		switch err := r.ParseForm(); {
		case errors.As(err, &long):
			s.trouble(w, r, http.StatusRequestEntityTooLarge, "The form is too large.", "too_large")
		case err != nil:
			s.trouble(w, r, http.StatusBadRequest, "The form cannot be read.", "bad_value")
		default:
			next(w, r)
		}
	}
}

// show renders a page of the visitor's. Nothing of it may be kept by caches.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, name, title string, content any) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	notice, _, err := flash.Take(v)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	script, timeout, sheet := "", "", ""
	if name == "prove" {
		script = s.assets["prove.js"].path
	}
	if v.User() != "" {
		timeout = s.mw.ScriptURL("/timeout.js")
		w.Header().Set("Content-Security-Policy", scripted)
	}
	if devices, ok := content.(console.Page); ok {
		sheet = devices.Style
	}
	s.write(w, status, name, page{
		Title: title, Path: r.URL.Path, User: v.User(), Tenant: v.Tenant(), Theme: preferencesOf(v).Theme,
		Notice: notices[notice], Script: script, Timeout: timeout, SignIn: signInURL(r), Sheet: sheet, Content: content,
	})
}

func (s *site) write(w http.ResponseWriter, status int, name string, p page) {
	p.Warning, p.Style, p.Icon = s.warning, s.assets["style.css"].path, s.assets["icon.svg"].path
	var body bytes.Buffer
	if err := s.pages[name].Execute(&body, p); err != nil {
		http.Error(w, "The page cannot be rendered.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.Copy(w, &body) // the browser has gone, or the error page was sent
}

// again leads the browser to a page after a form was done. A notice waits in the
// session for one page to take it; nobody gets a session for that alone.
func (s *site) again(w http.ResponseWriter, r *http.Request, path, notice string) {
	v, err := nethttp.From(r)
	if err == nil && notice != "" && (v.Stored() || v.User() != "" || len(v.Names()) > 0) {
		err = flash.Put(v, notice)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "home", "Home", nil)
}

// signedOut is a page that needs no session, after one has ended.
func (s *site) signedOut(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if v, err := nethttp.From(r); err == nil && v.User() != "" { // by a link or a bookmark
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		s.show(w, r, http.StatusOK, "signedout", "Signed out", text)
	}
}

// signInForm keeps what was typed, also a note that was refused.
type signInForm struct{ User, Next, Trouble, Draft string }

func (s *site) signInPage(w http.ResponseWriter, r *http.Request, status int, f signInForm) {
	f.Next = localPath(f.Next)
	s.show(w, r, status, "signin", "Sign in", f)
}

// signInURL leads back to the page that is asked for, or that a form stands on.
func signInURL(r *http.Request) string {
	next := r.URL.RequestURI()
	switch {
	case r.URL.Path == "/signin":
		return "/signin"
	case r.URL.Path == confirmPath: // who has just signed in need not confirm it
		next = nethttp.ReturnTo(r, "/")
	case r.Method != http.MethodGet:
		next = pageOf(r)
	}
	return "/signin?" + url.Values{"next": {localPath(next)}}.Encode()
}

// localPath lets no form lead away from this site.
func localPath(path string) string {
	if !nethttp.IsLocal(path) {
		return "/"
	}
	return path
}

func (s *site) postSignIn(w http.ResponseWriter, r *http.Request) {
	user := r.PostForm.Get("user")
	account, ok := authenticate(user, r.PostForm.Get("password"))
	if !ok {
		s.signInPage(w, r, http.StatusUnauthorized,
			signInForm{user, r.PostForm.Get("next"), "User and password do not match.", r.PostForm.Get("draft")})
		return
	}
	v, err := nethttp.From(r)
	if err == nil {
		err = s.signIn(v, user, account, r.PostForm.Get("remember") != "")
	}
	if text := r.PostForm.Get("draft"); err == nil && text != "" && noteSize(typed(text)) <= maxNote {
		err = draft.Put(v, typed(text))
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.again(w, r, localPath(r.PostForm.Get("next")), "signed-in")
}

func (s *site) postSignOut(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err == nil {
		err = v.Destroy()
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.again(w, r, "/signed-out", "")
}

const fullSession = "Your session is full: remove something first."

// pageTrouble shows a visitor what became of a form.
func (s *site) pageTrouble(w http.ResponseWriter, r *http.Request, err error) {
	if status, _ := nethttp.Failure(err); status == http.StatusRequestEntityTooLarge {
		s.trouble(w, r, status, fullSession, "too_large")
		return
	}
	s.failed(w, r, err)
}
