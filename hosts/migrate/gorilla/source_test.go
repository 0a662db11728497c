package gorilla_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/gob"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts/migrate"
	gorillamigrate "github.com/rockstar-web/sessions/hosts/migrate/gorilla"
)

func source(t *testing.T, o gorillamigrate.Options) migrate.Source {
	o.Name, o.KeyPairs = "auth", keyPairs
	s, err := gorillamigrate.Source(o)
	require.NoError(t, err)
	return s
}

func load(t *testing.T, s migrate.Source, value string) *migrate.Old {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "auth", Value: value})
	old, err := s.Load(t.Context(), r)
	require.NoError(t, err)
	return old
}

func refused(t *testing.T, s migrate.Source, value string) error {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "auth", Value: value})
	old, err := s.Load(t.Context(), r)
	require.Nil(t, old)
	return err
}

var kept = map[string]any{"user_id": 42, "basket": 3}

func TestCookies(t *testing.T) {
	value := signIn(sessions.NewCookieStore(keyPairs...)).Value
	for age, want := range map[time.Duration]time.Duration{0: 30 * 24 * time.Hour, time.Hour: time.Hour, gorillamigrate.NoLimit: 400 * 24 * time.Hour} {
		s := source(t, gorillamigrate.Options{MaxAge: age})
		old := load(t, s, value)
		require.Equal(t, kept, old.Values)
		require.Equal(t, value, old.Token)
		require.WithinDuration(t, time.Now().Add(want), old.Expires, time.Minute)
		require.NoError(t, s.End(t.Context(), old.Token), "it has no store")
	}
	s := source(t, gorillamigrate.Options{})
	others := signIn(sessions.NewCookieStore([]byte("another key of 32 bytes, at least"))).Value
	for _, bad := range []string{"rubbish", value[:len(value)-2], value + "=", others} {
		require.ErrorIs(t, refused(t, s, bad), migrate.ErrNotOpened)
	}
	require.Nil(t, load(t, s, ""))
	old, err := s.Load(t.Context(), httptest.NewRequest(http.MethodGet, "/", nil))
	require.NoError(t, err)
	require.Nil(t, old)
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	store := sessions.NewFilesystemStore(dir, keyPairs...)
	s := source(t, gorillamigrate.Options{Dir: dir})
	value := signIn(store).Value
	old := load(t, s, value)
	require.Equal(t, kept, old.Values)
	require.NotEqual(t, value, old.Token, "the ID stays when the cookie is set anew")
	for range 2 {
		require.NoError(t, s.End(t.Context(), old.Token))
		gone := load(t, s, value)
		require.Nil(t, gone.Values)
		require.Equal(t, old.Token, gone.Token)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "session_"+old.Token), []byte("rubbish"), 0o600))
	require.Nil(t, load(t, s, value).Values)
	require.ErrorIs(t, refused(t, s, "rubbish"), migrate.ErrNotOpened)
	stateless := signIn(sessions.NewCookieStore(keyPairs...)).Value
	require.ErrorIs(t, refused(t, s, stateless), migrate.ErrUnreadable)
	require.ErrorContains(t, refused(t, s, stateless), "Options.Dir")
	require.ErrorIs(t, refused(t, source(t, gorillamigrate.Options{}), value), migrate.ErrUnreadable)
}

// An old cookie is no sign of wrong keys.
func TestExpiredCookies(t *testing.T) {
	made := base64.URLEncoding.EncodeToString // as securecookie does it, an hour ago
	mac := hmac.New(sha256.New, keyPairs[0])
	body := fmt.Sprintf("%d|%s", time.Now().Add(-time.Hour).Unix(), made([]byte("x")))
	mac.Write([]byte("auth|" + body))
	value := made(append([]byte(body+"|"), mac.Sum(nil)...))
	require.Nil(t, load(t, source(t, gorillamigrate.Options{MaxAge: time.Minute}), value))
	require.ErrorIs(t, refused(t, source(t, gorillamigrate.Options{}), value), migrate.ErrUnreadable, "it opens")
}

type (
	item     struct{ Name string }
	basket   []item
	position string
)

// The new program knows no type of the old one, and does not link gorilla/sessions,
// which registers some.
func TestAProgramWithoutTheOldLibrary(t *testing.T) {
	gob.RegisterName("shop.Basket", basket{})
	gob.RegisterName("shop.Position", position(""))
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	s, err := sessions.NewCookieStore(keyPairs...).Get(r, "auth")
	require.NoError(t, err)
	s.AddFlash("hi")
	s.Values["user"], s.Values["basket"], s.Values[position("top")] = "ann", basket{{"tea"}}, 1
	s.Values["tree"] = map[string]interface{}{"a": 1}
	require.NoError(t, s.Save(r, w))
	out, err := exec.Command("go", "run", "./testdata/newprogram", string(keyPairs[0]), w.Result().Cookies()[0].Value).CombinedOutput()
	require.NoError(t, err, string(out))
	unregistered := ": " + migrate.ErrUnregistered.Error() + "\n"
	require.Equal(t, "(a name): type shop.Position"+unregistered+"_flash: [hi]\nbasket: type shop.Basket"+unregistered+"tree: map[a:1]\nuser: ann\n", string(out))
	linked, err := exec.Command("go", "list", "-deps", "./testdata/newprogram").Output()
	require.NoError(t, err)
	require.NotContains(t, strings.Fields(string(linked)), "github.com/gorilla/sessions")
}

// Names of gorilla need not be strings.
func TestOtherNames(t *testing.T) {
	codec := securecookie.New(keyPairs[0], nil)
	value, err := codec.Encode("auth", map[any]any{1: "one", "user": "ann"})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"1": "one", "user": "ann"}, load(t, source(t, gorillamigrate.Options{}), value).Values)
}

func TestSourceRefuses(t *testing.T) {
	for want, o := range map[string]gorillamigrate.Options{
		"Name":       {KeyPairs: keyPairs},
		"KeyPairs":   {Name: "auth"},
		"key pair 1": {Name: "auth", KeyPairs: [][]byte{keyPairs[0], []byte("short")}},
		"MaxAge":     {Name: "auth", KeyPairs: keyPairs, MaxAge: -5},
	} {
		_, err := gorillamigrate.Source(o)
		require.ErrorContains(t, err, want)
	}
}
