package mission

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var configuration = []row{
	{"09", threeFieldsAreEnough}, {"10", contextBringsSessions}, {"12", opensslKeys}, {"13", keyFromEnvironment},
	{"14", keyNotHex}, {"15", keyLength}, {"17", cookieName}, {"18", cookiePath}, {"19", cookieDomain},
	{"20", secureByDefault}, {"21", httpOnlyByDefault}, {"22", sameSite}, {"23", lifetimeOfADay},
	{"24", keyIsRequired}, {"25", directoryByDefault}, {"26", cleanupEveryHour},
}

// refusedConfig requires New to refuse a config, naming field and value.
func refusedConfig(t *testing.T, b backend, c hosts.Config, field, value string) {
	t.Helper()
	if c.Key.IsZero() {
		c.Key = key
	}
	_, err := b.manager(b.open(t, t.TempDir()), c)
	var refused *hosts.ConfigError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, field, refused.Field)
	require.Contains(t, refused.Value, value)
	require.NotEmpty(t, refused.Allowed)
}

func threeFieldsAreEnough(t *testing.T, b backend) {
	m, err := b.manager(b.open(t, t.TempDir()), hosts.Config{Key: key, Lifetime: 3 * time.Hour})
	require.NoError(t, err)
	s := &site{t: t, b: b, clock: newClock()}
	s.serve(m, nethttp.Options{}, false)
	for _, style := range styles {
		ann := s.browser()
		c := ann.post(style + "/login?user=ann").is(http.StatusOK).cookie()
		require.Equal(t, "rockstar_session=; Path=/; Max-Age=10800; HttpOnly; Secure; SameSite=Lax",
			strings.Replace(c.Raw, c.Value, "", 1))
		ann.get(style + "/me").is(http.StatusOK)
		ann.post(style + "/logout").is(http.StatusOK)
		ann.get(style + "/me").is(http.StatusUnauthorized)
	}
}

func contextBringsSessions(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{CookieName: "own_" + core.DefaultCookieName, Lifetime: time.Hour, SameSite: core.SameSiteStrict}})
	ann := s.browser()
	deep := func(r *http.Request) { // which was given nothing but the request
		v, err := nethttp.From(r)
		require.NoError(t, err)
		require.NoError(t, v.Login("ann", 0))
	}
	a := ann.call("/call", s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { deep(r) })).ServeHTTP).is(http.StatusOK)
	require.Regexp(t, "^own_rockstar_session=[^;]+; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict$", a.cookie().Raw)
	ann.get("/middleware/me").is(http.StatusOK)
	ann.call("/call", func(w http.ResponseWriter, r *http.Request) {
		_, err := nethttp.From(r)
		require.ErrorIs(t, err, nethttp.ErrNoHandler)
	}).is(http.StatusOK)
}

func opensslKeys(t *testing.T, b backend) {
	raw := make([]byte, 32)
	_, err := rand.Read(raw)
	require.NoError(t, err)
	digits := hex.EncodeToString(raw)
	t.Setenv("SESSION_ENCRYPTION_KEY", digits+"\n") // as the command ends its line
	fromEnv, err := hosts.KeyFromEnv("")
	require.NoError(t, err)
	require.Equal(t, raw, fromEnv.Bytes())
	store := b.open(t, t.TempDir())
	one := open(t, b, setup{Config: hosts.Config{Key: core.NewSecret(digits)}, store: store})
	two := open(t, b, setup{Config: hosts.Config{Key: fromEnv, Clock: one.clock}, store: store})
	ann := one.browser()
	id := ann.login("/verbs", "ann")
	require.Equal(t, id, ann.to(two).get("/middleware/me").is(http.StatusOK).id(), "hex and bytes are one key")
}

func keyFromEnvironment(t *testing.T, _ backend) {
	t.Setenv("SESSION_ENCRYPTION_KEY", hex.EncodeToString(key.Bytes()))
	got, err := hosts.KeyFromEnv("")
	require.NoError(t, err)
	require.Equal(t, key, got)
	for _, unset := range []func(){
		func() { t.Setenv("SESSION_ENCRYPTION_KEY", "") },
		func() { require.NoError(t, os.Unsetenv("SESSION_ENCRYPTION_KEY")) },
	} {
		unset()
		_, err = hosts.KeyFromEnv("")
		require.ErrorIs(t, err, core.ErrNoKey)
		require.ErrorContains(t, err, "SESSION_ENCRYPTION_KEY")
	}
	_, err = hosts.KeyFromEnv("ANOTHER_VARIABLE")
	require.ErrorContains(t, err, "ANOTHER_VARIABLE")
}

func keyNotHex(t *testing.T, _ backend) {
	text := strings.Repeat("xyz-", 16)
	t.Setenv("SESSION_ENCRYPTION_KEY", text)
	_, err := hosts.KeyFromEnv("")
	require.ErrorIs(t, err, core.ErrKeyHex)
	require.ErrorContains(t, err, "invalid encryption key format")
	require.ErrorContains(t, err, "SESSION_ENCRYPTION_KEY")
	require.NotContains(t, err.Error(), "xyz")
}

func keyLength(t *testing.T, b backend) {
	for length, text := range map[string]string{"31": hex.EncodeToString(key.Bytes()[:31]), "33": hex.EncodeToString(key.Bytes()) + "aa", "8": "0123456789abcdef"} {
		t.Setenv("SESSION_ENCRYPTION_KEY", text)
		_, err := hosts.KeyFromEnv("")
		require.ErrorIs(t, err, core.ErrKeyLength)
		require.ErrorContains(t, err, "must be 32 bytes for AES-256")
		require.ErrorContains(t, err, "found "+length)
	}
	for length, given := range map[string][]byte{"31": key.Bytes()[:31], "33": append(key.Bytes()[:32:32], 1), "16": key.Bytes()[:16]} {
		_, err := b.manager(b.open(t, t.TempDir()), hosts.Config{Key: core.NewSecret(given)})
		require.ErrorIs(t, err, core.ErrKeyLength)
		require.ErrorContains(t, err, "must be 32 bytes for AES-256")
		require.ErrorContains(t, err, "found "+length)
	}
}

func cookieName(t *testing.T, b backend) {
	ann := open(t, b, setup{}).browser()
	require.Equal(t, "rockstar_session", ann.post("/verbs/login?user=ann").is(http.StatusOK).cookie().Name)
	own := open(t, b, setup{Config: hosts.Config{CookieName: "__Host-rockstar_session"}}).browser()
	require.Equal(t, "__Host-rockstar_session", own.post("/verbs/login?user=ann").is(http.StatusOK).cookie().Name)
	own.get("/verbs/me").is(http.StatusOK)
	for _, bad := range []string{"two words", "a;b", "a=b", "sessión", "tab\t", strings.Repeat("n", 129)} {
		refusedConfig(t, b, hosts.Config{CookieName: bad}, "CookieName", bad)
	}
	refusedConfig(t, b, hosts.Config{CookieName: "__Host-s", CookiePath: "/app"}, "CookieName", "__Host-s")
	refusedConfig(t, b, hosts.Config{CookieName: "__Secure-s", AllowInsecure: true}, "CookieName", "__Secure-s")
}

func cookiePath(t *testing.T, b backend) {
	whole := open(t, b, setup{}).browser()
	require.Equal(t, "/", whole.post("/verbs/login?user=ann").is(http.StatusOK).cookie().Path)
	part := open(t, b, setup{Config: hosts.Config{CookiePath: "/verbs"}}).browser()
	require.Equal(t, "/verbs", part.post("/verbs/login?user=ann").is(http.StatusOK).cookie().Path)
	part.get("/verbs/me").is(http.StatusOK)
	part.get("/middleware/me").refused(core.ReasonNone)
	for _, bad := range []string{"app", "/a;b", "/a\n", "/ü"} {
		refusedConfig(t, b, hosts.Config{CookiePath: bad}, "CookiePath", bad)
	}
}

func cookieDomain(t *testing.T, b backend) {
	for domain, elsewhere := range map[string]int{"": http.StatusUnauthorized, "example.com": http.StatusOK} {
		ann := open(t, b, setup{Config: hosts.Config{CookieDomain: domain}}).browser()
		require.Equal(t, domain, ann.post("/verbs/login?user=ann").is(http.StatusOK).cookie().Domain)
		ann.get("/verbs/me").is(http.StatusOK)
		ann.host = "shop.example.com"
		ann.get("/verbs/me").is(elsewhere)
	}
	for _, bad := range []string{"example..com", "exa mple.com", "127.0.0.1", "example.com;", "-a.com", "https://example.com"} {
		refusedConfig(t, b, hosts.Config{CookieDomain: bad}, "CookieDomain", bad)
	}
}

func secureByDefault(t *testing.T, b backend) {
	for _, style := range styles {
		ann := open(t, b, setup{}).browser()
		require.True(t, ann.post(style+"/login?user=ann").is(http.StatusOK).cookie().Secure)
		dev := open(t, b, setup{Config: hosts.Config{AllowInsecure: true}, plain: true}).browser()
		require.False(t, dev.post(style+"/login?user=ann").is(http.StatusOK).cookie().Secure)
		dev.get(style + "/me").is(http.StatusOK)
	}
}

func httpOnlyByDefault(t *testing.T, b backend) {
	for _, style := range styles {
		ann := open(t, b, setup{}).browser()
		require.True(t, ann.post(style+"/login?user=ann").is(http.StatusOK).cookie().HttpOnly)
		open := open(t, b, setup{Config: hosts.Config{AllowScripts: true}}).browser()
		require.False(t, open.post(style+"/login?user=ann").is(http.StatusOK).cookie().HttpOnly)
	}
}

func sameSite(t *testing.T, b backend) {
	ann := open(t, b, setup{}).browser()
	require.Equal(t, http.SameSiteLaxMode, ann.post("/middleware/login?user=ann").is(http.StatusOK).cookie().SameSite)
	for mode, want := range map[core.SameSite]http.SameSite{core.SameSiteLax: http.SameSiteLaxMode,
		core.SameSiteStrict: http.SameSiteStrictMode, core.SameSiteNone: http.SameSiteNoneMode} {
		ann := open(t, b, setup{Config: hosts.Config{SameSite: mode}}).browser()
		require.Equal(t, want, ann.post("/verbs/login?user=ann").is(http.StatusOK).cookie().SameSite)
	}
	refusedConfig(t, b, hosts.Config{SameSite: core.SameSiteNone, AllowInsecure: true}, "SameSite", "None")
	refusedConfig(t, b, hosts.Config{SameSite: 9}, "SameSite", "9")
}

func lifetimeOfADay(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		ann := s.browser()
		require.Equal(t, 24*60*60, ann.post(style+"/login?user=ann").is(http.StatusOK).cookie().MaxAge)
		s.clock.pass(24*time.Hour - time.Millisecond)
		ann.get(style + "/me").is(http.StatusOK)
		s.clock.pass(time.Millisecond)
		ann.get(style + "/me").refused(core.ReasonExpired)
	}
}

func keyIsRequired(t *testing.T, b backend) {
	for _, none := range []hosts.Config{{}, {Key: core.NewSecret("")}, {Keys: core.KeyRing{}}, {Keys: core.KeyRing{{}}}} {
		m, err := b.manager(b.open(t, t.TempDir()), none)
		require.ErrorIs(t, err, core.ErrNoKey)
		require.Nil(t, m)
	}
	for _, weak := range []string{strings.Repeat("\x00", 32), strings.Repeat("k", 32), "0123456789abcdef0123456789abcdef"} {
		_, err := b.manager(b.open(t, t.TempDir()), hosts.Config{Key: core.NewSecret(weak)})
		require.Error(t, err)
		require.True(t, errors.Is(err, core.ErrWeakKey) || errors.Is(err, core.ErrKeyHexRaw), err)
	}
}

func directoryByDefault(t *testing.T, b backend) {
	t.Chdir(t.TempDir())
	store, err := fsstore.Open(fsstore.Options{Shared: !b.single})
	require.NoError(t, err)
	s := open(t, b, setup{store: store})
	ann := s.browser()
	ann.login("/verbs", "ann")
	require.NoError(t, store.Close())
	store, err = fsstore.Open(fsstore.Options{Dir: "./sessions", Shared: !b.single})
	require.NoError(t, err)
	defer store.Close()
	ann.to(open(t, b, setup{store: store, Config: hosts.Config{Clock: s.clock}})).get("/verbs/me").is(http.StatusOK)
}

func cleanupEveryHour(t *testing.T, b backend) {
	if b.forgets {
		forgetsByItself(t, b, hosts.Config{})
		return
	}
	require.Zero(t, sweeps(t, b, hosts.Config{}, 59*time.Minute))
	require.Equal(t, 3, sweeps(t, b, hosts.Config{}, 3*time.Hour+time.Minute))
	refusedConfig(t, b, hosts.Config{CleanupInterval: -time.Hour}, "CleanupInterval", "-1h0m0s")
}
