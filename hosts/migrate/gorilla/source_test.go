package gorilla_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

var kept = map[string]any{"user": "ann", "basket": 3}

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
	for _, bad := range []string{"", "rubbish", value[:len(value)-2], value + "=", others} {
		require.Nil(t, load(t, s, bad), bad)
	}
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
	require.Nil(t, load(t, s, "rubbish"))
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
