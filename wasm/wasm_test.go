package wasm_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"

	"github.com/rockstar-web/sessions/wasm"
	"github.com/rockstar-web/sessions/wasm/sources/hash"
)

// What the module may take, in bytes: an edge loads it with every cold start.
const (
	maxSize   = 215_000
	maxZipped = 92_000
)

func TestTheModulesAreOfTheirSources(t *testing.T) {
	kept, err := os.ReadFile("core.wasm.sources")
	require.NoError(t, err)
	now, err := hash.Of("..")
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(string(kept)), now, "core.wasm and testdata/aes.wasm are stale: sources have changed; run wasm/build --write")
}

func TestTheNpmPackageHasTheSameModule(t *testing.T) {
	copied, err := os.ReadFile("../hosts/js/core.wasm")
	require.NoError(t, err)
	require.True(t, bytes.Equal(wasm.Core, copied), "hosts/js/core.wasm is another; run wasm/build --write")
}

func TestTheModuleIsSmallAndAsksForNothing(t *testing.T) {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(wasm.Core)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	t.Logf("%d bytes, %d gzipped", len(wasm.Core), zipped.Len())
	require.LessOrEqual(t, len(wasm.Core), maxSize)
	require.LessOrEqual(t, zipped.Len(), maxZipped)

	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(t.Context())
	m, err := r.CompileModule(t.Context(), wasm.Core)
	require.NoError(t, err)
	require.Empty(t, m.ImportedFunctions())
	require.Empty(t, m.ImportedMemories())
	var names []string
	for name := range m.ExportedFunctions() {
		names = append(names, name)
	}
	slices.Sort(names)
	require.Equal(t, []string{"_initialize", "abi_version", "buffer", "handle"}, names)
	require.Len(t, m.ExportedMemories(), 1)
	require.Contains(t, m.ExportedMemories(), "memory")
}
