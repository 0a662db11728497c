package sessionctl

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

const sealedAt core.Time = 1_790_000_000_000 // 2026-09-21T14:13:20Z

// seal returns a session and the Set-Cookie value that its login gives.
func seal(t *testing.T, name, tenant string) (core.ID, string) {
	t.Helper()
	key, err := core.ParseKey(testKey)
	require.NoError(t, err)
	m, err := core.NewMachine(core.Policy{CookieName: name}, core.KeyRing{{Bytes: key}})
	require.NoError(t, err)
	s := m.New(core.Request{Tenant: tenant})
	require.NoError(t, s.Login("alice", 0))
	e, err := m.Commit(s, sealedAt, core.Seed{7: 1})
	require.NoError(t, err)
	return e.Save.ID, e.Cookies[0]
}

func TestInspect(t *testing.T) {
	id, line := seal(t, "", "")
	pair, _, _ := strings.Cut(line, ";")
	_, value, _ := strings.Cut(pair, "=")
	hostID, hostLine := seal(t, "__Host-rockstar_session", "")
	ownID, ownLine := seal(t, "shop", "a")
	ownPair, _, _ := strings.Cut(ownLine, ";")
	files := t.TempDir()
	raw, err := hex.DecodeString(testKey)
	require.NoError(t, err)
	for name, text := range map[string]string{"hex": testKey + "\n", "raw": string(raw), "other": strings.Repeat("0123456789abcdef", 3) + "fedcba9876543210", "bad": "none"} {
		require.NoError(t, os.WriteFile(filepath.Join(files, name), []byte(text), 0o600))
	}
	env := []string{"SESSION_ENCRYPTION_KEY=" + testKey}
	opened := func(id core.ID) []string {
		return []string{"format", "key ID", core.KeyID(core.NewSecret(raw)), "2026-09-21T14:00:00Z to 2026-09-21T15:00:00Z", id.String(), "chain 0, step 0", "opens"}
	}
	for name, c := range map[string]struct {
		call
		code  int
		parts []string
	}{
		"value":            {call{args: []string{value}}, 0, opened(id)},
		"pair":             {call{args: []string{pair}}, 0, opened(id)},
		"cookie line":      {call{args: []string{"Cookie: a=b; " + pair + "; z="}}, 0, opened(id)},
		"set-cookie line":  {call{args: []string{"set-cookie: " + line}}, 0, opened(id)},
		"without its name": {call{args: []string{line}}, 0, opened(id)},
		"host prefix":      {call{args: []string{"Set-Cookie: " + hostLine}}, 0, opened(hostID)},
		"standard input":   {call{stdin: value + "\n"}, 0, opened(id)},
		"own name":         {call{args: []string{"--tenant", "a", "--name", "shop", "Cookie: x=y; " + ownPair}}, 0, opened(ownID)},
		"hex file":         {call{args: []string{"--key-file", filepath.Join(files, "hex"), value}, env: []string{}}, 0, opened(id)},
		"raw file":         {call{args: []string{"--key-file", filepath.Join(files, "raw"), value}, env: []string{}}, 0, opened(id)},
		"two cookies":      {call{args: []string{"Cookie: rockstar_session=x; " + pair}}, 1, append(opened(id), "refused", "malformed")},
		"other key":        {call{args: []string{"--key-file", filepath.Join(files, "other"), value}}, 1, []string{core.KeyID(core.NewSecret(raw)), "refused", "unknown_key", "remedy"}},
		"other tenant":     {call{args: []string{"--tenant", "b", value}}, 1, []string{"not_authentic", "--tenant"}},
		"later":            {call{args: []string{"--now", "2028-01-01T00:00:00Z", value}}, 1, []string{"expired", "2026-09-21T14:00:00Z"}},
		"cut":              {call{args: []string{value[:100]}}, 1, []string{"malformed", "100 bytes"}},
		"bad key file":     {call{args: []string{"--key-file", filepath.Join(files, "bad"), value}}, 2, nil},
		"no key file":      {call{args: []string{"--key-file", filepath.Join(files, "none"), value}}, 2, nil},
		"bad name":         {call{args: []string{"--name", "a b", value}}, 2, nil},
		"no cookie":        {call{args: []string{"--name", "shop", pair}}, 1, nil},
		"its own name":     {call{args: []string{"Set-Cookie: " + strings.Replace(line, "rockstar_session", "shop", 1)}}, 1, []string{"cookie     shop, ", "not_authentic"}},
		"empty input":      {call{}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.env == nil {
				c.env = env
			}
			if !strings.Contains(strings.Join(c.args, " "), "--now") {
				c.args = append([]string{"--now", "2026-09-21T14:20:00Z"}, c.args...)
			}
			c.args = append([]string{"inspect"}, c.args...)
			code, stdout, stderr := c.run(t)
			require.Equal(t, c.code, code, stderr)
			for _, part := range c.parts {
				require.Contains(t, stdout, part)
			}
			if c.parts == nil {
				require.Empty(t, stdout)
				require.Regexp(t, "^sessionctl: ", stderr)
			}
			requireNoSecret(t, value, stdout+stderr)
		})
	}
}

// TestInspectNamesWhatIsThere where the cookie is not: names only.
func TestInspectNamesWhatIsThere(t *testing.T) {
	for want, args := range map[string][]string{
		"inspect: no session cookie in the input, which has: a, c; if one of them is it, name it with --name\n": {"Cookie: a=hunter2; c=hunter2"},
		"inspect: no cookie \"nope\" in the input, which has: rockstar_session, c\n":                            {"--name", "nope", "Cookie: rockstar_session=hunter2; c=hunter2"},
		"inspect: no cookie in the input; allowed: a value, or a Cookie: or Set-Cookie: line\n":                 {"Cookie:"},
	} {
		code, stdout, stderr := call{args: append([]string{"inspect"}, args...), env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
		require.Equal(t, exitFindings, code)
		require.Empty(t, stdout)
		require.Equal(t, "sessionctl: "+want, stderr)
	}
}

// requireNoSecret looks for the key and for what the cookie holds sealed.
func requireNoSecret(t *testing.T, value, text string) {
	t.Helper()
	key, err := core.ParseKey(testKey)
	require.NoError(t, err)
	for _, hidden := range []string{testKey, value[len(value)/2:], string(key.Bytes()), base64.StdEncoding.EncodeToString(key.Bytes())} {
		require.NotContains(t, text, hidden)
	}
}
