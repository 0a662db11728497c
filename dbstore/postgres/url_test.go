package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
)

// TestABadURLShowsItsScheme, and nothing that may be a password.
func TestABadURLShowsItsScheme(t *testing.T) {
	for text, shown := range map[string]string{
		"postgres://u:hunter2@h:x/d":     "postgres:...",
		"postgresql://u:hunter%2@h/d":    "postgresql:...",
		"postgres://u:hunter2@h/d?%zz=1": "postgres:...",
		"password='hunter2":              "...",
	} {
		_, err := parse(text, &Options{})
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, text)
		require.EqualError(t, err, `URL is "`+shown+`"; allowed: postgres://user:password@host:port/database?sslmode=verify-full, with special characters percent-encoded`)
	}
}
