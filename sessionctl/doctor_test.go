package sessionctl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	"github.com/stretchr/testify/require"
)

func TestDoctor(t *testing.T) {
	env := []string{"SESSION_ENCRYPTION_KEY=" + testKey}
	for name, c := range map[string]struct {
		args  string
		noKey bool
		code  int
		parts []string // in the output, each finding with its remedy
	}{
		"fine":                    {"--url https://example.com --name __Host-s", false, 0, []string{"ok       key", "ok       cookie", "ok       store", "ok       clock", "no findings"}},
		"no key":                  {"", true, 1, []string{"FINDING  key", "remedy: make one with sessionctl keygen", "findings: 1"}},
		"no key file":             {"--key-file none", false, 1, []string{"FINDING  key", "remedy: name the file"}},
		"short key":               {"--key-file short", false, 1, []string{"FINDING  key", "32 bytes for AES-256", "remedy: check whether it was typed or copied whole"}},
		"empty key file":          {"--key-file blank", false, 1, []string{"FINDING  key", "key file blank is empty\n", "remedy: check whether it was typed or copied whole"}},
		"quiet":                   {"--quiet", false, 0, []string{"no findings"}},
		"open key file":           {"--key-file shared", false, 1, []string{"FINDING  key", "remedy: chmod 0600 shared"}},
		"plain http":              {"--url http://example.com", false, 1, []string{"FINDING  cookie", "browsers drop a Secure cookie", "remedy: serve HTTPS"}},
		"plain, insecure":         {"--url http://example.com --insecure", false, 1, []string{"FINDING  cookie", "others in the network"}},
		"localhost":               {"--url http://localhost:8080 --insecure", false, 0, []string{"ok       cookie"}},
		"localhost, Secure":       {"--url http://127.0.0.1:8080", false, 0, []string{"note     cookie", "AllowInsecure in development"}},
		"https, insecure":         {"--url https://example.com --insecure", false, 1, []string{"remedy: leave AllowInsecure out"}},
		"scripts":                 {"--scripts", false, 1, []string{"remedy: leave AllowScripts out"}},
		"other domain":            {"--url https://a.example.com --domain example.org", false, 1, []string{"remedy: leave CookieDomain out"}},
		"its domain":              {"--url https://a.example.com --domain example.com", false, 0, []string{"ok       cookie"}},
		"bad cookie":              {"--name __Host-x --path /a", false, 1, []string{"FINDING  cookie", "__Host- only with"}},
		"None, insecure":          {"--samesite None --insecure", false, 1, []string{"None only with Secure"}},
		"proxy":                   {"--proxy", false, 1, []string{"FINDING  proxy", "remedy: name its address in TrustedProxies"}},
		"trusted proxy":           {"--proxy --trusted-proxy 10.0.0.1", false, 0, []string{"ok       proxy"}},
		"every proxy":             {"--trusted-proxy 0.0.0.0/0", false, 1, []string{"FINDING  proxy", "trusts everybody"}},
		"no directory":            {"--store file:none", false, 1, []string{"FINDING  store", "there is no store at none", "remedy: name the right one"}},
		"no store":                {"--store file:empty", false, 1, []string{"FINDING  store", "has no sessions", "remedy: name the right one"}},
		"unreadable key of demo":  {"--store file:unreadable", false, 1, []string{"its owner may not read it", "remedy: chmod 0600 unreadable/development.key"}},
		"open directory":          {"--store file:open", false, 1, []string{"FINDING  store", "remedy: chmod 0700 open", "deleted a test session"}},
		"public directory":        {"--store file:public", false, 1, []string{"remedy: chmod 0700 public", "everybody may write it"}},
		"no directory but a file": {"--store file:shared", false, 1, []string{"FINDING  store", "not a directory"}},
		"demo's key":              {"--store file:demo", false, 1, []string{"note     key", "remedy: chmod 0600 demo/development.key"}},
		"future":                  {"--store file:future", false, 1, []string{"FINDING  clock", "in the future", "NTP"}},
		"memory":                  {"--store memory:", false, 0, []string{"ok       store", "note     store"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := doctorDir(t)
			if !strings.Contains(c.args, "--store") {
				c.args += " --store file:sessions"
			}
			e := env
			if c.noKey {
				e = nil
			}
			code, stdout, stderr := call{args: append([]string{"doctor"}, strings.Fields(c.args)...), dir: dir, env: e}.run(t)
			require.Equal(t, c.code, code, stdout+stderr)
			require.Empty(t, stderr)
			for _, part := range c.parts {
				require.Contains(t, stdout, part)
			}
			require.NotContains(t, stdout, "mode ----------\n")
			require.Equal(t, strings.Count(stdout, "FINDING"), strings.Count(stdout, "remedy: "))
			require.NotContains(t, stdout, testKey)
			requireSameInJSON(t, append([]string{"doctor", "--json"}, strings.Fields(c.args)...), dir, e, stdout)
			requireNothingLeft(t, filepath.Join(dir, "sessions"))
		})
	}
}

// requireSameInJSON holds an examination's JSON to its text.
func requireSameInJSON(t *testing.T, args []string, dir string, env []string, text string) {
	t.Helper()
	_, stdout, _ := call{args: args, dir: dir, env: env}.run(t)
	list := objects(t, stdout)
	last := list[len(list)-1]
	require.EqualValues(t, strings.Count(text, "FINDING"), last["findings"])
	findings := 0
	for _, o := range list[:len(list)-1] {
		if o["level"] == "finding" {
			findings++
			require.Contains(t, text, "remedy: "+o["remedy"].(string))
		}
		require.Contains(t, text, o["about"])
	}
	require.EqualValues(t, findings, last["findings"])
}

// doctorDir is a directory with whatever may be wrong.
func doctorDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o700))
	for name, mode := range map[string]os.FileMode{"sessions": 0o700, "open": 0o755, "public": 0o777, "demo": 0o700, "future": 0o700, "unreadable": 0o700} {
		path := filepath.Join(dir, name)
		withStore(t, "file:"+path, func(hosts.Store) {})
		require.NoError(t, os.Chmod(path, mode)) // whatever the umask
	}
	for name, mode := range map[string]os.FileMode{"shared": 0o644, "short": 0o600, "blank": 0o600, "demo/development.key": 0o644, "unreadable/development.key": 0} {
		text := testKey
		switch name {
		case "short":
			text = text[:60]
		case "blank":
			text = "\n"
		}
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
	}
	store, closer, err := stores.Open(t.Context(), "file:"+filepath.Join(dir, "future"))
	require.NoError(t, err)
	ahead := core.Time(time.Now().Add(61 * time.Minute).UnixMilli())
	require.NoError(t, store.Save(t.Context(), core.Record{ID: core.ID{1}, Version: 1, SeenAt: ahead, ExpiresAt: ahead}, core.NoVersion))
	require.NoError(t, closer.Close())
	return dir
}

// requireNothingLeft looks for files: an examination leaves none, but for what
// tells a store's own form.
func requireNothingLeft(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		require.True(t, d.IsDir() || d.Name() == "segment-log" || d.Name() == "00000001.log", path)
		return nil
	}))
}

// TestDoctorAsksWhichOfTwoKeysCounts, and does not ask for a new one.
func TestDoctorAsksWhichOfTwoKeysCounts(t *testing.T) {
	env := []string{"SESSION_ENCRYPTION_KEY=" + testKey, "SESSION_ENCRYPTION_KEYS=" + testKey}
	code, stdout, stderr := call{args: []string{"doctor", "--store", "memory:"}, env: env}.run(t)
	require.Equal(t, exitFindings, code, stderr)
	require.Contains(t, stdout, "SESSION_ENCRYPTION_KEY and SESSION_ENCRYPTION_KEYS are both set; unset one of the two\n         remedy: unset the one that the servers do not have\n")
}
