package stores_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/stores"
)

func TestTyped(t *testing.T) {
	const key = "9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53"
	for text, want := range map[string]string{
		"":                                "",
		"lst":                             "lst",
		"sqlite:./sessions.db":            "sqlite:./sessions.db",
		"alice@example.com":               "alice@example.com",
		"postgres://u:hunter2@h/x":        "postgres://...",
		"hunter2@mysql://u:hunter2@h":     "mysql://...",
		"http://127.0.0.1:zz":             "http://...",
		"mysql:u:hunter2@h/x":             "mysql:...",
		"u:hunter2@h":                     "u:...",
		"user=u password=hunter2 host=h":  "user=u password=...",
		"PASSWORD = hunter2":              "PASSWORD=...",
		key:                               "...",
		key + "@..2099-01-01T00:00:00Z":   "...@..2099-01-01T00:00:00Z",
		key[:60]:                          "...",
		strings.Repeat("aZ_-", 30) + "=x": "...=x",
		"sBzS0p1aQkq3M0nJq2p9rw":          "sBzS0p1aQkq3M0nJq2p9rw",
	} {
		require.Equal(t, want, stores.Typed(text), text)
	}
}

// TestErrorsOfNamesHidePasswords, also of names that are none.
func TestErrorsOfNamesHidePasswords(t *testing.T) {
	for name, want := range map[string]string{
		"user=u password=hunter2 host=h": `store is "user=u password=..."; allowed: memory:`,
		"u password=hunter2:x":           `store is "u password=..."; allowed: `,
		"hunter2@h":                      `store is "..."; allowed: `,
		"pigeon://u:hunter2@h":           `store is "pigeon"; allowed: `,
		"./sessions.db":                  `store is "./sessions.db"; allowed: `,
		"memory:x":                       `store is "memory:..."; allowed: memory: with nothing behind it`,
		"file:dir?x=1":                   `store is "file:...?..."; allowed: file:PATH without options`,
		"sessions.db":                    `a file or directory needs a scheme: sqlite:sessions.db, file:sessions.db`,
	} {
		_, _, err := stores.Open(t.Context(), name)
		require.ErrorContains(t, err, want, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
	require.EqualError(t, stores.Exists(t.Context(), "file:u:hunter2@h/x"), "there is no store at u:...")
}
