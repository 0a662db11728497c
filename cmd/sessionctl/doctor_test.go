package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl"
)

// TestTheDoctorSeesTheKeyOfTheDemoBesideADatabase, as it does in a directory.
func TestTheDoctorSeesTheKeyOfTheDemoBesideADatabase(t *testing.T) {
	dir := t.TempDir()
	name := "sqlite:" + filepath.Join(dir, "s.db")
	withStore(t, name, func(hosts.Store) {})
	key := filepath.Join(dir, sessionctl.DevelopmentKeyFile)
	require.NoError(t, os.WriteFile(key, []byte(testKey), 0o600))
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o644: 1} {
		require.NoError(t, os.Chmod(key, mode))
		code, out, warn := call{args: []string{"doctor", "--store", name}, env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
		require.Equal(t, want, code, out+warn)
		require.Contains(t, out, key+" is the demo's: no server should use it")
		require.Contains(t, out, key+" has mode "+mode.String())
	}
}
