package mission

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// What stands around the library: the command and the documents.
var surroundings = []row{
	{"11", keygen},
	{"89", documents},
	{"E9", environment},
}

const root = "../.."

func keygen(t *testing.T, _ backend) {
	run := func() string {
		cmd := exec.Command("go", "run", "./cmd/sessionctl", "keygen")
		cmd.Dir = root
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	first, second := run(), run()
	require.Regexp(t, regexp.MustCompile(`^[0-9a-f]{64}\n$`), first)
	require.NotEqual(t, first, second)
	key, err := hex.DecodeString(strings.TrimSpace(first))
	require.NoError(t, err)
	t.Setenv(hosts.DefaultKeyVariable, strings.TrimSpace(first))
	got, err := hosts.KeyFromEnv("")
	require.NoError(t, err)
	require.Equal(t, key, got.Bytes())
}

var (
	link  = regexp.MustCompile(`\]\(([^)#:",\s]+)(#[^)]*)?\)`)
	field = regexp.MustCompile("`([A-Z][A-Za-z0-9]+)`")
	verb  = regexp.MustCompile("`m\\.([A-Z][A-Za-z]+)")
)

// documents: every link leads somewhere, every field is described, and every
// verb and field that is described exists.
func documents(t *testing.T, _ backend) {
	for _, name := range []string{"README.md", "RATIONALE.md", "CONTRIBUTING.md", "conformance/README.md",
		"docs/configuration.md", "docs/cookies.md", "docs/security.md", "docs/api.md", "docs/sessionctl.md"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(filepath.Join(root, filepath.Dir(name), l[1]))
			require.NoError(t, err, "%s links to %s", name, l[1])
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "docs/configuration.md"))
	require.NoError(t, err)
	described := map[string]bool{}
	for _, l := range strings.Split(string(text), "\n") {
		if cells := strings.Split(l, "|"); len(cells) > 2 {
			for _, f := range field.FindAllStringSubmatch(cells[1], -1) {
				described[f[1]] = true
			}
		}
	}
	config, options := reflect.TypeFor[hosts.Config](), reflect.TypeFor[nethttp.Options]()
	for _, kind := range []reflect.Type{config, options} {
		for f := range kind.Fields() {
			if f.Name == "Clock" || f.Name == "Entropy" {
				continue // for tests and other hosts
			}
			require.True(t, described[f.Name], "configuration.md does not describe %v.%s", kind, f.Name)
			delete(described, f.Name)
		}
	}
	require.Empty(t, described, "configuration.md describes what there is not")

	text, err = os.ReadFile(filepath.Join(root, "docs/api.md"))
	require.NoError(t, err)
	manager := reflect.TypeFor[*hosts.Manager]()
	verbs := verb.FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(verbs), 10)
	for _, v := range verbs {
		_, ok := manager.MethodByName(v[1])
		require.True(t, ok, "api.md describes Manager.%s", v[1])
	}
}

func environment(t *testing.T, b backend) {
	t.Setenv(hosts.DefaultKeyVariable, "")
	_, err := hosts.ConfigFromEnv()
	require.ErrorContains(t, err, hosts.DefaultKeyVariable)
	t.Setenv(hosts.DefaultKeyVariable, strings.Repeat("0123456789abcdef", 3)+"00112233445566aa")
	t.Setenv("SESSION_COOKIE_NAME", "__Host-shop")
	t.Setenv("SESSION_SAME_SITE", "strict")
	t.Setenv("SESSION_LIFETIME", "90m")
	t.Setenv("SESSION_END_WITH_BROWSER", "true")
	c, err := hosts.ConfigFromEnv()
	require.NoError(t, err)
	m, err := b.manager(b.open(t, t.TempDir()), c)
	require.NoError(t, err)
	defer m.Close()
	p := m.Policy()
	require.Equal(t, "__Host-shop", p.CookieName)
	require.Equal(t, core.SameSiteStrict, p.SameSite)
	require.Equal(t, 90*core.Minute, p.Lifetime)
	require.True(t, p.EndWithBrowser)
	require.False(t, p.AllowInsecure)
	t.Run("several keys", func(t *testing.T) {
		t.Setenv(hosts.DefaultKeyVariable, "")
		t.Setenv(hosts.DefaultKeysVariable, hex.EncodeToString(key.Bytes())+"@..2099-01-01T00:00:00Z,"+hex.EncodeToString(key2.Bytes())+"@2098-01-01T00:00:00Z")
		c, err := hosts.ConfigFromEnv()
		require.NoError(t, err)
		require.Len(t, c.Keys, 2)
		require.Equal(t, key2, c.Keys[1].Bytes)
	})
	for name, value := range map[string]string{"SESSION_LIFETIME": "soon", "SESSION_ALLOW_INSECURE": "perhaps", "SESSION_SECURE_BY_REQUEST": "often", "SESSION_SAME_SITE": "any"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := hosts.ConfigFromEnv()
			var refused *hosts.ConfigError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, name, refused.Field)
			require.Equal(t, value, refused.Value)
			require.NotEmpty(t, refused.Allowed)
		})
	}
}
