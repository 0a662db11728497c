package core

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The diagram in the package documentation is what the table says.
func TestDiagramOfStates(t *testing.T) {
	var b strings.Builder
	for from := range states {
		for to := range states {
			var names []string
			for v, next := range transitions[from] {
				if next == to {
					names = append(names, verbNames[v])
				}
			}
			if len(names) > 0 {
				b.WriteString("//\t" + from.String() + strings.Repeat(" ", 6-len(from.String())) +
					" -- " + strings.Join(names, ", ") + " --> " + to.String() + "\n")
			}
		}
	}
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(doc), "refused with [ErrEnded].\n//\n")
	require.True(t, ok)
	diagram, _, _ := strings.Cut(rest, "//\n// # Sealed format")
	require.ElementsMatch(t, strings.Split(b.String(), "\n"), strings.Split(diagram, "\n"), "doc.go should have:\n%s", b.String())
}

// The cookie's format is public: a script that knows only the documentation
// opens what we seal.
func TestNodeOpensACookie(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs Node 18 or later")
	}
	key := testKey[:KeyLen]
	m := testMachine(t, Policy{})
	s := m.New(Request{Tenant: "tenant-ü"})
	require.NoError(t, s.Login("alice", 0))
	e, err := m.Commit(s, testNow, Seed{1})
	require.NoError(t, err)
	value, _, _ := strings.Cut(strings.TrimPrefix(e.Cookies[0], DefaultCookieName+"="), ";")

	open := func(key []byte, args ...string) ([]byte, error) {
		cmd := exec.Command(node, append([]string{"testdata/open-cookie.mjs"}, args...)...)
		cmd.Env = append(os.Environ(), "SESSION_ENCRYPTION_KEY="+hex.EncodeToString(key))
		return cmd.Output()
	}
	out, err := open(key, DefaultCookieName, value, "tenant-ü")
	require.NoError(t, err)
	var got struct{ KeyID, Hour, ID, Secret string }
	require.NoError(t, json.Unmarshal(out, &got))
	require.Equal(t, KeyID(key), got.KeyID)
	require.Equal(t, e.Save.ID.String(), got.ID)
	require.Len(t, got.Secret, 43)

	_, err = open(key, DefaultCookieName, value, "another")
	require.Error(t, err, "sealed for a tenant")
	_, err = open(key, "another", value, "tenant-ü")
	require.Error(t, err, "sealed for a name")
}
