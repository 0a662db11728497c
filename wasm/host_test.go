package wasm_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAStrangersHost runs the host that was written from the README alone.
func TestAStrangersHost(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node: this test needs Node 18 or later")
		}
		t.Skip("SKIPPED, NOT TESTED: no node; install Node 18 or later")
	}
	text, err := exec.CommandContext(t.Context(), node, "example/host.mjs", "core.wasm").CombinedOutput()
	require.NoError(t, err, string(text))
	require.Equal(t, `visitor: none
cookie: rockstar_session=...; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax
read: alice {"cart":3}
both: alice {"cart":4,"colour":"red"}
refused: conflict of cart
added: alice {"cart":5,"hits":2,"colour":"red"}
unchanged: 0 cookies
ended: rockstar_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax
again: unknown_session 0
late: superseded superseded 2
`, string(text))
}
