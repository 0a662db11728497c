package wire

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryErrorHasATextOfItsOwn, which is all by which the guest tells them apart.
func TestEveryErrorHasATextOfItsOwn(t *testing.T) {
	for code := 1; code < len(codes); code++ {
		c := codes[code]
		require.Equal(t, c.name, CodeName(codeOf(c.err)))
		require.Equal(t, c.name, CodeName(codeOf(fmt.Errorf("detail: %w", c.err))))
	}
	require.Zero(t, codeOf(fmt.Errorf("not listed")))
}
