package migrate_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/migrate"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// What the next deploy can mend is no outage, and costs no login for good.
func TestAnOldSessionThatCannotBeReadWaits(t *testing.T) {
	var unfit []string
	s := open(t, nil, hosts.Config{}, migrate.Options{OnUnfit: func(name string, err error) {
		require.ErrorIs(t, err, migrate.ErrUnreadable)
		unfit = append(unfit, name)
	}})
	s.keep("T1", map[string]any{"user": "ann"})
	j := oldJar("T1")
	s.library.down = fmt.Errorf("type shop.Cart: %w", migrate.ErrUnreadable)
	for range 3 {
		got := s.visit(j)
		require.NoError(t, got.err)
		require.Empty(t, got.user)
		require.Empty(t, got.header["Set-Cookie"])
		require.Equal(t, oldJar("T1"), j)
	}
	require.Equal(t, 1, s.log.count("shop.Cart"))
	require.Equal(t, []string{"(the session)"}, unfit)
	visitor := maps.Clone(j) // begins a session of ours meanwhile
	require.NoError(t, visitor.visit(t.Context(), s, func(v *nethttp.Session) error { return v.Put("step", 1) }).err)

	s.library.down = nil
	require.Equal(t, "ann", s.visit(visitor).user)
	require.Equal(t, "ann", s.visit(j).user)
	require.Len(t, s.live("ann"), 1)
}

func TestCookiesThatDoNotOpenAreLoggedOnce(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.library.down = fmt.Errorf("check the keys: %w", migrate.ErrNotOpened)
	for n := range 3 {
		got := s.visit(oldJar(fmt.Sprint("secret", n)))
		require.NoError(t, got.err)
		require.Empty(t, got.user)
	}
	require.Equal(t, 1, s.log.count("level=WARN"))
	require.Equal(t, 1, s.log.count("check the keys"))
	require.Zero(t, s.log.count("secret"))
}

// A function that looks for the user in the wrong place signs everybody out.
func TestNobodySignedInIsLoggedOnce(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	for n := range 3 {
		token := fmt.Sprint("T", n)
		s.keep(token, map[string]any{"user_id": 4711, "basket": "tea"})
		require.True(t, s.visit(oldJar(token)).stored)
	}
	require.Equal(t, 1, s.log.count("migrate.Options.User"))
	require.Equal(t, 1, s.log.count("basket (string)"))
	require.Equal(t, 1, s.log.count("user_id (int)"))
	require.Zero(t, s.log.count("4711"))

	s = open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann", "basket": "tea"})
	s.keep("T2", map[string]any{})
	require.Equal(t, "ann", s.visit(oldJar("T1")).user)
	require.False(t, s.visit(oldJar("T2")).stored)
	require.Zero(t, s.log.count("migrate.Options.User"), "all is well")
}

func TestValuesThatCannotBeReadStayBehind(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{Values: map[string]func(any) (any, error){"cart": migrate.Of[cart]}})
	got, err := decodeOld(t, encoded(t, "structs"))
	require.NoError(t, err)
	for _, token := range []string{"T1", "T2"} {
		s.keep(token, got.Values)
		j := oldJar(token)
		require.NoError(t, j.visit(t.Context(), s, func(v *nethttp.Session) error {
			require.Equal(t, "ann", v.User())
			require.ElementsMatch(t, []string{"user", "n", "raw"}, v.Names())
			return nil
		}).err)
	}
	for _, name := range []string{"name=cart", "name=again", "name=other", "cart.Other: its type"} {
		require.Equal(t, 1, s.log.count(name), name)
	}
}

// Handlers may have the middleware around them already.
func TestHandlerFuncInsideOfAMover(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann"})
	handler := s.middleware.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, v *nethttp.Session) error {
		_, err := fmt.Fprint(w, v.User())
		return err
	})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "old", Value: "T1"})
	w := httptest.NewRecorder()
	s.Handler(handler).ServeHTTP(w, r)
	require.Equal(t, "ann", w.Body.String())
}
