package wazero_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/wazero"
	"github.com/rockstar-web/sessions/wasm"
)

func TestUnsuitableModules(t *testing.T) {
	for name, module := range map[string][]byte{
		"no module": []byte("hello"), "cut": wasm.Core[:1000], "empty": []byte("\x00asm\x01\x00\x00\x00"),
	} {
		_, err := wazero.New(t.Context(), wazero.Options{Module: module})
		require.ErrorIs(t, err, wazero.ErrModule, name)
	}
	// A module that imports: (import "a" "b" (func)).
	importing := []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x02\x07\x01\x01a\x01b\x00\x00")
	_, err := wazero.New(t.Context(), wazero.Options{Module: importing})
	require.ErrorContains(t, err, "imports 1 things")
}

// built writes one of the tiny modules that testdata/make.mjs knows.
func built(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".wasm")
	text, err := exec.Command("node", "testdata/make.mjs", name, path).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED, NOT TESTED: no node; install Node 18 or later")
	}
	require.NoError(t, err, string(text))
	module, err := os.ReadFile(path)
	require.NoError(t, err)
	return module
}

func TestAModuleOfAnotherVersionIsRefusedByName(t *testing.T) {
	_, err := wazero.New(t.Context(), wazero.Options{Module: built(t, "version")})
	require.ErrorIs(t, err, wazero.ErrModule)
	require.ErrorContains(t, err, "its ABI version is 77, this release hosts 3")
}

// A guest that traps loses its own request only, and its instance.
func TestAGuestThatTraps(t *testing.T) {
	e := newEngine(t, wazero.Options{Module: built(t, "trap")})
	m := configured(t, e, core.Policy{})
	_, err := m.Identify([]string{"trap"}, "", now)
	require.ErrorIs(t, err, wazero.ErrGuest)
	require.Equal(t, wazero.Stats{Dropped: 1}, e.Stats())
	_, err = m.Identify(nil, "", now)
	require.ErrorIs(t, err, core.ErrNoCookie)
	require.Equal(t, wazero.Stats{Dropped: 1, Idle: 1}, e.Stats())
}

// A guest that never ends is ended.
func TestAGuestThatHangs(t *testing.T) {
	e := newEngine(t, wazero.Options{Module: built(t, "hang"), Timeout: 50 * time.Millisecond})
	m := configured(t, e, core.Policy{})
	_, err := m.Identify([]string{"hang"}, "", now)
	require.ErrorIs(t, err, wazero.ErrGuest)
	_, err = m.Identify(nil, "", now)
	require.ErrorIs(t, err, core.ErrNoCookie)
	require.EqualValues(t, 1, e.Stats().Dropped)
}
