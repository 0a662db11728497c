package sessions

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// DevelopmentVariable switches development mode on where it is true: cookies are
// not Secure, so that plain HTTP will do, and have nothing that needs it: no prefix such as
// __Host- before their name, and neither Partitioned nor SameSite=None. A key is made where the
// environment has none. Sessions then end with the process. The server answers on loopback
// addresses only, and never to a proxy: see Options.Development.
const DevelopmentVariable = hosts.DevelopmentVariable

// develop switches development mode on, if the environment says so and nothing else.
func develop(c *Config, o *Options) error {
	text := os.Getenv(DevelopmentVariable)
	if text == "" {
		return nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("environment variable %w", &hosts.ConfigError{Field: DevelopmentVariable, Value: text, Allowed: "true, false"})
	}
	if !on {
		return nil
	}
	o.Development = true
	dropSecure(c)
	cmp.Or(c.Logger, slog.Default()).Warn("sessions: development mode: cookies are not Secure, and only loopback addresses are served",
		"variable", DevelopmentVariable, "cookie", cmp.Or(c.CookieName, core.DefaultCookieName))
	if c.Key.IsZero() && len(c.Keys) == 0 && os.Getenv(hosts.DefaultKeyVariable) == "" && os.Getenv(hosts.DefaultKeysVariable) == "" {
		c.Key = core.NewSecret(randomKey())
	}
	return nil
}

// dropSecure leaves out of a cookie what browsers accept only with Secure, so that the
// config of production runs in development, too (RFC 6265bis, 4.1.3).
func dropSecure(c *Config) {
	c.AllowInsecure, c.SecureByRequest, c.Partitioned = true, false, false
	if c.SameSite == core.SameSiteNone {
		c.SameSite = core.SameSiteLax
	}
	for _, prefix := range []string{"__Host-Http-", "__Host-", "__Http-", "__Secure-"} {
		if n := len(prefix); len(c.CookieName) >= n && strings.EqualFold(c.CookieName[:n], prefix) {
			c.CookieName = c.CookieName[n:]
			break
		}
	}
}

func randomKey() []byte {
	key := make([]byte, core.KeyLen)
	rand.Read(key) // never fails
	return key
}
