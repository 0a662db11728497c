package hosts_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func TestRefusedConfigs(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		change         func(c *hosts.Config)
		field, value   string
		allowedMention string
	}{
		{func(c *hosts.Config) { c.Keys = core.KeyRing{{Bytes: key}} }, "Key", "set", "either Key or Keys"},
		{func(c *hosts.Config) { c.CookieName = "a b" }, "CookieName", "a b", "letters"},
		{func(c *hosts.Config) { c.CookieName = "__Host-a"; c.CookiePath = "/app" }, "CookieName", "__Host-a", "path /"},
		{func(c *hosts.Config) { c.CookieName = "__Secure-a"; c.AllowInsecure = true }, "CookieName", "__Secure-a", "Secure"},
		{func(c *hosts.Config) { c.CookiePath = "app" }, "CookiePath", "app", "begins with /"},
		{func(c *hosts.Config) { c.CookieDomain = "a_b.example" }, "CookieDomain", "a_b.example", "host name"},
		{func(c *hosts.Config) { c.FormerScopes = []core.Scope{{Path: "x"}} }, "FormerScopes.Path", "x", "begins with /"},
		{func(c *hosts.Config) { c.FormerScopes = make([]core.Scope, 5) }, "FormerScopes", "5 pairs", "at most 4"},
		{func(c *hosts.Config) { c.SameSite = 9 }, "SameSite", "9", "Lax, Strict, None"},
		{func(c *hosts.Config) { c.SameSite = core.SameSiteNone; c.AllowInsecure = true }, "SameSite", "None", "Secure"},
		{func(c *hosts.Config) { c.Partitioned = true; c.AllowInsecure = true }, "Partitioned", "true", "Secure"},
		{func(c *hosts.Config) { c.Lifetime = -time.Hour }, "Lifetime", "-3600000 ms", "1000 ms"},
		{func(c *hosts.Config) { c.Lifetime = 2 * year }, "Lifetime", "63072000000 ms", "34560000000 ms"},
		{func(c *hosts.Config) { c.Lifetime = math.MaxInt64 }, "Lifetime", "9223372036855 ms", "34560000000 ms"},
		{func(c *hosts.Config) { c.Lifetime = time.Nanosecond }, "Lifetime", "1 ms", "1000 ms"},
		{func(c *hosts.Config) { c.Lifetime = -time.Nanosecond }, "Lifetime", "-1 ms", "1000 ms"},
		{func(c *hosts.Config) { c.AnonymousLifetime = time.Millisecond }, "AnonymousLifetime", "1 ms", "1000 ms"},
		{func(c *hosts.Config) { c.MaxLifetime = time.Hour }, "MaxLifetime", "3600000 ms", "86400000 ms to"},
		{func(c *hosts.Config) { c.IdleTimeout = -1 }, "IdleTimeout", "-1 ms", "0 ms to"},
		{func(c *hosts.Config) { c.RenewAfter = time.Minute }, "RenewAfter", "60000 ms", "four times RenewGrace"},
		{func(c *hosts.Config) { c.RenewGrace = time.Hour }, "RenewGrace", "3600000 ms", "300000 ms"},
		{func(c *hosts.Config) { c.Retention = -1 }, "Retention", "-1 ms", "1000 ms to"},
		{func(c *hosts.Config) { c.CleanupInterval = -time.Second }, "CleanupInterval", "-1s", "default of 1h0m0s"},
		{func(c *hosts.Config) { c.CommitTimeout = -1 }, "CommitTimeout", "-1ns", "default of 5s"},
		{func(c *hosts.Config) { c.BindIPv4Bits = 33 }, "BindIPv4Bits", "33", "0 to 32"},
		{func(c *hosts.Config) { c.BindIPv6Bits = -1 }, "BindIPv6Bits", "-1", "0 to 128"},
		{func(c *hosts.Config) { c.SessionSize = 10 }, "SessionSize", "10", "1024 to 1048576"},
		{func(c *hosts.Config) { c.WarnSize = -4 }, "WarnSize", "-4", "1 to"},
		{func(c *hosts.Config) { c.Merge = map[string]core.MergeKind{"n": 7} }, "Merge", "n", "MergeCounter and MergeSet"},
		{func(c *hosts.Config) {
			c.Merge, c.Exclusive = map[string]core.MergeKind{"n": core.MergeCounter}, []string{"n"}
		}, "Merge", "n", "not in Exclusive"},
		{func(c *hosts.Config) { c.Exclusive = []string{""} }, "Exclusive", "", "1 to 128 bytes"},
	} {
		config := hosts.Config{Key: key}
		c.change(&config)
		_, err := hosts.New(memory(t), config)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, c.field)
		require.Equal(t, c.field, refused.Field)
		require.Equal(t, c.value, refused.Value)
		require.Contains(t, refused.Allowed, c.allowedMention)
		require.ErrorContains(t, err, fmt.Sprintf("%s is %q; allowed: %s", c.field, c.value, refused.Allowed))
	}
	_, err := hosts.New(nil, hosts.Config{Key: key})
	var refused *hosts.ConfigError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "store", refused.Field)
}

func TestRefusedKeys(t *testing.T) {
	for want, k := range map[error][]byte{
		core.ErrNoKey:     nil,
		core.ErrKeyLength: []byte("secret-of-16-byt"),
		core.ErrWeakKey:   make([]byte, 32),
		core.ErrKeyHexRaw: []byte("0123456789abcdeffedcba9876543210"),
	} {
		_, err := hosts.New(memory(t), hosts.Config{Key: core.NewSecret(k)})
		require.ErrorIs(t, err, want)
		if len(k) > 0 {
			require.NotContains(t, err.Error(), string(k))
			require.NotContains(t, err.Error(), hex.EncodeToString(k))
		}
	}
	_, err := hosts.New(memory(t), hosts.Config{Key: core.NewSecret(key.Bytes()[:31])})
	require.ErrorContains(t, err, "must be 32 bytes for AES-256, found 31")
	_, err = hosts.New(memory(t), hosts.Config{Keys: core.KeyRing{{Bytes: key}, {Bytes: key}}})
	require.ErrorIs(t, err, core.ErrSameKey)
}

func TestDefaults(t *testing.T) {
	p := open(t, nil, hosts.Config{}).Policy()
	require.Equal(t, core.Policy{
		CookieName: "rockstar_session", CookiePath: "/",
		Lifetime: 24 * core.Hour, AnonymousLifetime: core.Hour, MaxLifetime: 400 * core.Day,
		RenewGrace: 30 * core.Second, Retention: core.Hour, SessionSize: 64 << 10, WarnSize: 4 << 10,
	}, p)
	require.Equal(t, time.Hour, hosts.DefaultCleanupInterval)
	require.Equal(t, 5*time.Second, hosts.DefaultCommitTimeout)
	m, ann := open(t, nil, hosts.Config{}), newBrowser()
	ann.login(m, "ann")
	require.Len(t, ann.set, 1)
	c := ann.set[0]
	require.True(t, c.Secure && c.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Equal(t, "rockstar_session / 86400 ", fmt.Sprintf("%s %s %d %s", c.Name, c.Path, c.MaxAge, c.Domain))
}

// What the caller does to its config after New changes nothing, and New
// nothing of the caller's.
func TestConfigIsTheCallers(t *testing.T) {
	k := slices.Clone(key.Bytes())
	c := hosts.Config{Key: core.NewSecret(k), Clock: newClock(), Merge: map[string]core.MergeKind{"hits": core.MergeCounter},
		Exclusive: []string{"seat"}, FormerScopes: []core.Scope{{Path: "/old"}}, NoCleanup: true}
	before := fmt.Sprintf("%#v", c)
	store := memory(t)
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	defer m.Close()
	require.Equal(t, before, fmt.Sprintf("%#v", c))
	clear(k)
	clear(c.Merge)
	c.Exclusive[0], c.FormerScopes[0].Path = "hits", "/new"
	p := m.Policy()
	require.Equal(t, []string{"seat"}, p.Exclusive)
	require.Equal(t, "/old", p.FormerScopes[0].Path)
	require.Equal(t, core.MergeCounter, p.Merge["hits"])
	n, err := m.Create(t.Context())
	require.NoError(t, err)
	require.NoError(t, m.Save(t.Context(), n))
	_, err = open(t, store, hosts.Config{}).Load(t.Context(), n.ID)
	require.NoError(t, err, "sealed under the key as it was")
}

func TestKeyFromEnv(t *testing.T) {
	good := hex.EncodeToString(key.Bytes())
	for _, c := range []struct {
		text  string
		want  error
		tells string
	}{
		{"", core.ErrNoKey, "is not set"},
		{"  \n", core.ErrNoKey, "required"},
		{"not hex at all!", core.ErrKeyHex, "64 hexadecimal digits"},
		{good[:62] + "zz", core.ErrKeyHex, "64 hexadecimal digits"},
		{good[:32], core.ErrKeyLength, "must be 32 bytes for AES-256, found 16 bytes"},
		{"\n" + good + good[:4], core.ErrKeyLength, "found 34 bytes"},
		{good[:63], core.ErrKeyLength, "found 63 hexadecimal digits instead of 64"},
		{good + "0", core.ErrKeyLength, "found 65 hexadecimal digits instead of 64"},
		{strings.Repeat("0", 64), core.ErrWeakKey, "all zero"},
	} {
		for _, name := range []string{hosts.DefaultKeyVariable, "OTHER_KEY"} {
			t.Setenv(name, c.text)
			_, err := hosts.KeyFromEnv(map[bool]string{true: "", false: name}[name == hosts.DefaultKeyVariable])
			require.ErrorIs(t, err, c.want, c.text)
			require.ErrorContains(t, err, name)
			require.ErrorContains(t, err, c.tells)
			require.NotContains(t, err.Error(), good[:8])
		}
	}
	for _, text := range []string{good, strings.ToUpper(good), good + "\n", good + "\r\n"} { // as openssl prints it
		t.Setenv(hosts.DefaultKeyVariable, text)
		got, err := hosts.KeyFromEnv("")
		require.NoError(t, err)
		require.Equal(t, key, got)
		open(t, nil, hosts.Config{Key: got})
	}
	_, err := hosts.KeyFromEnv("NO_SUCH_VARIABLE_HERE")
	require.ErrorContains(t, err, "environment variable NO_SUCH_VARIABLE_HERE is not set")
}
