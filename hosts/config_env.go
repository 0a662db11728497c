package hosts

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// ConfigFromEnv reads a Config from the environment. Only the key is required; every variable that is not set leaves
// the default. Its errors name the variable, and what is allowed.
//
//	SESSION_ENCRYPTION_KEY      64 hexadecimal digits
//	SESSION_ENCRYPTION_KEYS     in its place: the keys of a rotation, see ParseKeys
//	SESSION_COOKIE_NAME, _PATH, _DOMAIN
//	SESSION_SAME_SITE           Lax, Strict, None
//	SESSION_ALLOW_INSECURE, SESSION_SECURE_BY_REQUEST, SESSION_ALLOW_SCRIPTS, SESSION_END_WITH_BROWSER,
//	SESSION_BIND_USER_AGENT     true, false
//	SESSION_LIFETIME, SESSION_ANONYMOUS_LIFETIME, SESSION_MAX_LIFETIME, SESSION_IDLE_TIMEOUT,
//	SESSION_RENEW_AFTER, SESSION_CLEANUP_INTERVAL
//	                            durations such as 30m or 24h
//	SESSION_CACHE               bytes such as 64MiB
//	SESSION_MAX_PER_USER        sessions of one user, such as 5
//	SESSION_AT_LIMIT            EndOldest, EndLeastUsed, Refuse
func ConfigFromEnv() (Config, error) {
	var c Config
	var err error
	if c.Keys, err = KeysFromEnv(); err != nil {
		return Config{}, err
	}
	e := environment{}
	for name, field := range map[string]*string{
		"SESSION_COOKIE_NAME": &c.CookieName, "SESSION_COOKIE_PATH": &c.CookiePath, "SESSION_COOKIE_DOMAIN": &c.CookieDomain,
	} {
		*field = os.Getenv(name)
	}
	for name, field := range map[string]*bool{
		"SESSION_ALLOW_INSECURE": &c.AllowInsecure, "SESSION_SECURE_BY_REQUEST": &c.SecureByRequest, "SESSION_ALLOW_SCRIPTS": &c.AllowScripts,
		"SESSION_END_WITH_BROWSER": &c.EndWithBrowser, "SESSION_BIND_USER_AGENT": &c.BindUserAgent,
	} {
		set(&e, name, "true, false", field, strconv.ParseBool)
	}
	for name, field := range map[string]*time.Duration{
		"SESSION_LIFETIME": &c.Lifetime, "SESSION_ANONYMOUS_LIFETIME": &c.AnonymousLifetime,
		"SESSION_MAX_LIFETIME": &c.MaxLifetime, "SESSION_IDLE_TIMEOUT": &c.IdleTimeout,
		"SESSION_RENEW_AFTER": &c.RenewAfter, "SESSION_CLEANUP_INTERVAL": &c.CleanupInterval,
	} {
		set(&e, name, "a duration such as 30m or 24h", field, time.ParseDuration)
	}
	set(&e, "SESSION_CACHE", "bytes such as 64MiB", &c.Cache, ParseSize)
	set(&e, "SESSION_SAME_SITE", "Lax, Strict, None", &c.SameSite, parseSameSite)
	set(&e, "SESSION_MAX_PER_USER", "a number such as 5", &c.MaxPerUser, strconv.Atoi)
	set(&e, "SESSION_AT_LIMIT", strings.Join(atLimitNames, ", "), &c.AtLimit, parseAtLimit)
	if e.err != nil {
		return Config{}, e.err
	}
	return c, nil
}

type environment struct{ err error }

// set reads one variable into a field, and keeps the first error.
func set[T any](e *environment, name, allowed string, field *T, parse func(string) (T, error)) {
	text := os.Getenv(name)
	if text == "" {
		return
	}
	v, err := parse(text)
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("environment variable %w", &ConfigError{Field: name, Value: text, Allowed: allowed})
	}
	*field = v
}

// ParseSize reads a number of bytes, such as 4096, 64KiB, 64MiB or 1GiB.
func ParseSize(text string) (int64, error) {
	shift := 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			text, shift = rest, 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("size: %w", &ConfigError{Field: "bytes", Value: fmt.Sprintf("%.40q", text), Allowed: "a number of bytes, or of KiB, MiB or GiB"})
	}
	return n << shift, nil
}

func parseSameSite(text string) (core.SameSite, error) {
	for value, name := range []string{"lax", "strict", "none"} {
		if strings.EqualFold(text, name) {
			return core.SameSite(value), nil
		}
	}
	return 0, strconv.ErrSyntax
}
