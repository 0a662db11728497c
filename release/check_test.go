package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestModulesAsUsersGetThem packs the tree into a proxy: each module is tidy, can be
// got, and brings no driver but its own. In make soak it is compiled where users have it,
// and the commands are installed. What the released command is made of is compiled so by
// the test in deploy, always.
func TestModulesAsUsersGetThem(t *testing.T) {
	t.Chdir("..")
	all, err := modules()
	require.NoError(t, err)
	require.NoError(t, check(all, os.Getenv("SOAK") != ""))
}

func TestARootModuleRequiresFewOthers(t *testing.T) {
	t.Chdir("..")
	all, err := modules()
	require.NoError(t, err)
	require.Equal(t, root, all[0].path, "it requires none of ours")
	for _, r := range all[0].file.Require {
		require.True(t, r.Indirect || rootMay[r.Mod.Path], r.Mod.Path)
	}
}

// rootMay are the modules that the root may require directly: everybody has them.
var rootMay = map[string]bool{
	"github.com/cespare/xxhash/v2": true, "github.com/klauspost/compress": true,
	"github.com/stretchr/testify": true, "github.com/tetratelabs/wazero": true,
}
