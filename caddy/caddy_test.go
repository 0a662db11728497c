package caddy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	caddyserver "github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
)

const aKey = "8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121"

func TestCaddyfile(t *testing.T) {
	for text, want := range map[string]*Gate{
		"sessions": {},
		"sessions {\n store memory:\n cookie c\n key_env K\n tenant {http.request.host}\n login /login\n optional\n}": {
			Provider: Provider{Store: "memory:", Cookie: "c", KeyEnv: "K", Tenant: "{http.request.host}"}, Login: "/login", Optional: true},
		"sessions memory:":                            nil,
		"sessions {\n store\n}":                       nil,
		"sessions {\n store \"\"\n}":                  nil,
		"sessions {\n store a b\n}":                   nil,
		"sessions {\n store memory:\n store file:\n}": nil,
		"sessions {\n optional yes\n}":                nil,
		"sessions {\n key 00\n}":                      nil,
	} {
		g := new(Gate)
		err := g.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text))
		if want == nil {
			require.Error(t, err, text)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, g, text)
	}
	require.Error(t, new(Provider).UnmarshalCaddyfile(caddyfile.NewTestDispenser("sessions {\n login /login\n}")), "it is the directive's")
}

// provisioned is a provider as Caddy makes it, or why it cannot.
func provisioned(t *testing.T, p *Provider) error {
	t.Helper()
	ctx, cancel := caddyserver.NewContext(caddyserver.Context{Context: context.Background()})
	t.Cleanup(cancel)
	return p.Provision(ctx)
}

func TestWhatCannotBeProvisioned(t *testing.T) {
	require.ErrorIs(t, provisioned(t, &Provider{Store: "memory:"}), core.ErrNoKey)
	t.Setenv("SESSION_ENCRYPTION_KEY", aKey)
	for _, p := range []*Provider{{}, {Store: "{env.NO_SUCH_VARIABLE}"}, {Store: "carrier-pigeon:"}, {Store: "memory:", KeyEnv: "NO_SUCH_VARIABLE"}, {Store: "memory:", Cookie: "a b"}} {
		require.Error(t, provisioned(t, p), p)
		require.Error(t, p.Validate(), p)
		require.NoError(t, p.Cleanup(), p)
	}
	for login, fine := range map[string]bool{"": true, "/login": true, "login": false, "//evil.example": false, `/\evil.example`: false, "https://evil.example": false, "/login?a": false} {
		g := &Gate{Provider: Provider{Store: "memory:"}, Login: login}
		require.NoError(t, provisioned(t, &g.Provider))
		require.Equal(t, fine, g.Validate() == nil, login)
		require.NoError(t, g.Cleanup())
	}
}

// TestTwoConfigsHaveOneHandle: while Caddy changes its config, both are there.
func TestTwoConfigsHaveOneHandle(t *testing.T) {
	t.Setenv("SESSION_ENCRYPTION_KEY", aKey)
	t.Setenv("WHERE", "file:"+filepath.Join(t.TempDir(), "s"))
	older, newer := &Provider{Store: "{env.WHERE}"}, &Provider{Store: "{env.WHERE}"}
	require.NoError(t, provisioned(t, older))
	require.NoError(t, provisioned(t, newer))
	require.NoError(t, older.Cleanup())
	_, in, err := newer.Authenticate(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.NoError(t, err)
	require.False(t, in)
	require.NoError(t, newer.Cleanup())
	again := &Provider{Store: "{env.WHERE}"}
	require.NoError(t, provisioned(t, again), "the store was closed with its last config")
	require.NoError(t, again.Cleanup())
}

// TestAStoreThatIsDown is an error, and nobody is let through or called signed out.
func TestAStoreThatIsDown(t *testing.T) {
	t.Setenv("SESSION_ENCRYPTION_KEY", aKey)
	for _, optional := range []bool{false, true} {
		g := &Gate{Provider: Provider{Store: "memory:"}, Optional: optional, Login: "/login"}
		require.NoError(t, provisioned(t, &g.Provider))
		cookie := signedIn(t, g)
		require.NoError(t, g.app.Manager().Store().(stores.Store).Close())
		for _, path := range []string{"/account", "/login"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Accept", "text/html")
			var status caddyhttp.HandlerError
			require.ErrorAs(t, g.ServeHTTP(httptest.NewRecorder(), r, mustNot(t)), &status)
			require.Equal(t, http.StatusServiceUnavailable, status.StatusCode)
			_, in, err := g.Authenticate(httptest.NewRecorder(), r)
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.False(t, in)
		}
		require.NoError(t, g.Cleanup())
	}
}

func mustNot(t *testing.T) caddyhttp.Handler {
	return caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
		t.Error("the request goes on")
		return nil
	})
}

// signedIn returns a cookie of alice's.
func signedIn(t *testing.T, g *Gate) string {
	t.Helper()
	w := httptest.NewRecorder()
	login := g.app.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Login("alice", 0) })
	login.ServeHTTP(w, httptest.NewRequest("POST", "/login", nil))
	require.Len(t, w.Result().Cookies(), 1)
	c := w.Result().Cookies()[0]
	return c.Name + "=" + c.Value
}

// TestWhereTheLoginLeadsBack: never to another site.
func TestWhereTheLoginLeadsBack(t *testing.T) {
	g := &Gate{Login: "/login"}
	for target, want := range map[string]string{
		"/account?a=1":           "/login?return_to=%2Faccount%3Fa%3D1",
		"//evil.example/account": "/login",
		`/\evil.example`:         "/login",
		"/a%0d%0aX:y":            "/login",
	} {
		r, err := http.NewRequest("GET", "http://localhost"+target, nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		require.NoError(t, g.refuse(w, r, core.ErrNoCookie))
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, want, w.Header().Get("Location"), target)
	}
}

func TestConnectionNamesNoField(t *testing.T) {
	for given, want := range map[string]string{"Session-User": "", "keep-alive, Session-User": "", "Session-User, upgrade": "Upgrade", "Upgrade": "Upgrade"} {
		h := http.Header{"Connection": {given}}
		plainConnection(h)
		require.Equal(t, want, h.Get("Connection"), given)
	}
}
