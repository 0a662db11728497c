package forward

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThePageShowsTheFiles that the tests run, whole.
func TestThePageShowsTheFiles(t *testing.T) {
	page, err := os.ReadFile("../../docs/gateway.md")
	require.NoError(t, err)
	for _, p := range proxies {
		for _, name := range p.files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Contains(t, string(page), "\n"+string(text)+"```\n", name)
		}
	}
}
