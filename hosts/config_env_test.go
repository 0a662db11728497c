package hosts_test

import (
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// TestConfigFromEnv sets one variable after the other.
func TestConfigFromEnv(t *testing.T) {
	for _, one := range []struct {
		name, value string
		want        func(c *hosts.Config)
	}{
		{"SESSION_COOKIE_NAME", "shop", func(c *hosts.Config) { c.CookieName = "shop" }},
		{"SESSION_COOKIE_PATH", "/shop", func(c *hosts.Config) { c.CookiePath = "/shop" }},
		{"SESSION_COOKIE_DOMAIN", "example.com", func(c *hosts.Config) { c.CookieDomain = "example.com" }},
		{"SESSION_SAME_SITE", "Strict", func(c *hosts.Config) { c.SameSite = core.SameSiteStrict }},
		{"SESSION_ALLOW_INSECURE", "true", func(c *hosts.Config) { c.AllowInsecure = true }},
		{"SESSION_SECURE_BY_REQUEST", "true", func(c *hosts.Config) { c.SecureByRequest = true }},
		{"SESSION_ALLOW_SCRIPTS", "true", func(c *hosts.Config) { c.AllowScripts = true }},
		{"SESSION_END_WITH_BROWSER", "true", func(c *hosts.Config) { c.EndWithBrowser = true }},
		{"SESSION_BIND_USER_AGENT", "true", func(c *hosts.Config) { c.BindUserAgent = true }},
		{"SESSION_LIFETIME", "12h", func(c *hosts.Config) { c.Lifetime = 12 * time.Hour }},
		{"SESSION_ANONYMOUS_LIFETIME", "30m", func(c *hosts.Config) { c.AnonymousLifetime = 30 * time.Minute }},
		{"SESSION_MAX_LIFETIME", "720h", func(c *hosts.Config) { c.MaxLifetime = 720 * time.Hour }},
		{"SESSION_IDLE_TIMEOUT", "20m", func(c *hosts.Config) { c.IdleTimeout = 20 * time.Minute }},
		{"SESSION_RENEW_AFTER", "10m", func(c *hosts.Config) { c.RenewAfter = 10 * time.Minute }},
		{"SESSION_CLEANUP_INTERVAL", "2h", func(c *hosts.Config) { c.CleanupInterval = 2 * time.Hour }},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Setenv(hosts.DefaultKeyVariable, oneHex)
			t.Setenv(hosts.DefaultKeysVariable, "")
			want, err := hosts.ConfigFromEnv()
			require.NoError(t, err)
			t.Setenv(one.name, one.value)
			got, err := hosts.ConfigFromEnv()
			require.NoError(t, err)
			require.NotEqual(t, want, got)
			one.want(&want)
			require.Equal(t, want, got)
			open(t, nil, got)
		})
	}
}
