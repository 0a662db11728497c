package compare

import (
	"net/http"
	"testing"

	"github.com/alexedwards/scs/v2"
	gorilla "github.com/gorilla/sessions"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
)

// request is what a handler can do with its session, in the way that the library
// documents. Its errors are fatal for the request.
type request interface {
	user() string
	login(user string) error
	logout() error
	put(name, value string) error
	append(name, value string) error
	list(name string) []string
	has(name string) bool
}

// A library wraps handlers and has them use its sessions.
type library struct {
	name string
	site func(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, s request) error) http.Handler
}

var libraries = []library{
	{"this library", ours}, {"scs", scsSite}, {"gorilla, cookies", gorillaCookies}, {"gorilla, files", gorillaFiles}, {"fiber", fiberSite},
}

// key is of no other use.
const key = "\x91\x0e\xc7comparison, not a secret....."

type own struct{ s *sessions.Session }

func ours(t *testing.T, handle func(http.ResponseWriter, *http.Request, request) error) http.Handler {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	app, err := sessions.New(store, sessions.Config{Key: core.NewSecret(key[:32]), AllowInsecure: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Close()) })
	return app.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error { return handle(w, r, own{s}) })
}

func (o own) user() string                 { return o.s.User() }
func (o own) login(user string) error      { return o.s.Login(user, 0) }
func (o own) logout() error                { return o.s.Destroy() }
func (o own) put(name, value string) error { return o.s.Put(name, value) }
func (o own) append(name, value string) error {
	return sessions.Value[[]string](name).Update(o.s, func(old []string) ([]string, error) { return append(old, value), nil })
}
func (o own) list(name string) []string {
	list, _ := sessions.Value[[]string](name).Get(o.s)
	return list
}
func (o own) has(name string) bool {
	_, err := o.s.Get(name)
	return err == nil
}

type ofSCS struct {
	m *scs.SessionManager
	r *http.Request
}

func scsSite(_ *testing.T, handle func(http.ResponseWriter, *http.Request, request) error) http.Handler {
	m := scs.New()
	m.Cookie.Secure = false
	return m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r, ofSCS{m, r}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
}

func (s ofSCS) user() string { return s.m.GetString(s.r.Context(), "user") }
func (s ofSCS) login(user string) error {
	err := s.m.RenewToken(s.r.Context())
	s.m.Put(s.r.Context(), "user", user)
	return err
}
func (s ofSCS) logout() error { return s.m.Destroy(s.r.Context()) }
func (s ofSCS) put(name, value string) error {
	s.m.Put(s.r.Context(), name, value)
	return nil
}
func (s ofSCS) append(name, value string) error {
	s.m.Put(s.r.Context(), name, append(s.list(name), value))
	return nil
}
func (s ofSCS) list(name string) []string {
	list, _ := s.m.Get(s.r.Context(), name).([]string)
	return append([]string(nil), list...)
}
func (s ofSCS) has(name string) bool { return s.m.Exists(s.r.Context(), name) }

type ofGorilla struct {
	s *gorilla.Session
	w http.ResponseWriter
	r *http.Request
}

func gorillaCookies(t *testing.T, handle func(http.ResponseWriter, *http.Request, request) error) http.Handler {
	store := gorilla.NewCookieStore([]byte(key[:32]))
	store.Options.Secure = false
	return gorillaSite(t, store, handle)
}

func gorillaFiles(t *testing.T, handle func(http.ResponseWriter, *http.Request, request) error) http.Handler {
	store := gorilla.NewFilesystemStore(t.TempDir(), []byte(key[:32]))
	store.Options.Secure = false
	return gorillaSite(t, store, handle)
}

func gorillaSite(_ *testing.T, store gorilla.Store, handle func(http.ResponseWriter, *http.Request, request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "session") // a new one beside an error: the cookie opened nothing
		if err := handle(w, r, ofGorilla{s, w, r}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

func (g ofGorilla) user() string {
	user, _ := g.s.Values["user"].(string)
	return user
}
func (g ofGorilla) login(user string) error { return g.put("user", user) }
func (g ofGorilla) logout() error {
	g.s.Options.MaxAge = -1
	return g.s.Save(g.r, g.w)
}
func (g ofGorilla) put(name, value string) error {
	g.s.Values[name] = value
	return g.s.Save(g.r, g.w)
}
func (g ofGorilla) append(name, value string) error {
	g.s.Values[name] = append(g.list(name), value)
	return g.s.Save(g.r, g.w)
}
func (g ofGorilla) list(name string) []string {
	list, _ := g.s.Values[name].([]string)
	return list
}
func (g ofGorilla) has(name string) bool {
	_, ok := g.s.Values[name]
	return ok
}
