package hosts

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// KeyFromEnv reads a key in hex from an environment variable, by default
// SESSION_ENCRYPTION_KEY. Its errors name the variable.
func KeyFromEnv(variable string) (core.Secret, error) {
	if variable == "" {
		variable = DefaultKeyVariable
	}
	text, ok := os.LookupEnv(variable)
	if !ok || text == "" {
		return core.Secret{}, fmt.Errorf("environment variable %s is not set: %w", variable, core.ErrNoKey)
	}
	key, err := parseKey(text)
	if err != nil {
		return core.Secret{}, fmt.Errorf("environment variable %s: %w", variable, err)
	}
	return key, nil
}

// bothKeys is a ConfigError of two variables.
type bothKeys struct{ refused *ConfigError }

func (b bothKeys) Unwrap() error { return b.refused }

func (b bothKeys) Error() string {
	return "environment variables " + DefaultKeyVariable + " and " + DefaultKeysVariable + " are both set; " + b.refused.Allowed
}

// KeysFromEnv reads the keys of a rotation, as ParseKeys does, from
// SESSION_ENCRYPTION_KEYS, or else the one key of SESSION_ENCRYPTION_KEY. Both
// being set is refused. Its errors name the variable, and no key.
func KeysFromEnv() (core.KeyRing, error) {
	several := os.Getenv(DefaultKeysVariable)
	switch {
	case several == "":
		key, err := KeyFromEnv(DefaultKeyVariable)
		if err != nil {
			return nil, err
		}
		return core.KeyRing{{Bytes: key}}, nil
	case os.Getenv(DefaultKeyVariable) != "":
		return nil, bothKeys{&ConfigError{Field: DefaultKeysVariable, Value: "set", Allowed: "unset one of the two"}}
	}
	keys, err := ParseKeys(several)
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", DefaultKeysVariable, err)
	}
	return keys, nil
}

// ParseKeys reads keys that are separated by commas or line ends: each 64
// hexadecimal digits, and where it has times "@", the time from which it seals,
// "..", and the time until which it opens cookies, either of which may be left out.
// Times are as in RFC 3339:
//
//	HEX@..2026-06-01T00:00:00Z,HEX@2026-05-01T00:00:00Z
//
// Its errors name the place of the entry, counted from 1, and never the key.
func ParseKeys(text string) (core.KeyRing, error) {
	var keys core.KeyRing
	for entry := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		k, err := parseRingKey(entry)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(keys)+1, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, core.ErrNoKey
	}
	if _, err := core.NewMachine(core.Policy{}, keys); err != nil { // twice the same, too many, times in disorder
		return nil, err
	}
	return keys, nil
}

func parseRingKey(entry string) (k core.Key, err error) {
	digits, times, timed := strings.Cut(entry, "@")
	if k.Bytes, err = parseKey(digits); err != nil || !timed {
		return k, err
	}
	from, until, _ := strings.Cut(times, "..")
	for _, t := range []struct {
		name, text string
		to         *core.Time
	}{{"the time from which it seals", from, &k.SealFrom}, {"the time until which it opens", until, &k.OpenUntil}} {
		if t.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil || core.TimeOf(at) <= 0 { // the text may be a part of a key
			return core.Key{}, fmt.Errorf("%s cannot be read; allowed: a time after 1970 as in RFC 3339, such as 2026-05-01T00:00:00Z", t.name)
		}
		*t.to = core.TimeOf(at)
	}
	return k, nil
}

// parseKey is core.ParseKey, with how much was found in place of a key.
func parseKey(text string) (core.Secret, error) {
	key, err := core.ParseKey(text)
	if digits := len(strings.TrimSpace(text)); errors.Is(err, core.ErrKeyLength) {
		found := fmt.Sprintf("%d bytes", digits/2)
		if digits%2 != 0 {
			found = fmt.Sprintf("%d hexadecimal digits instead of 64", digits)
		}
		return core.Secret{}, fmt.Errorf("%w, found %s", err, found)
	}
	return key, err
}
