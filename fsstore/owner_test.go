//go:build darwin || freebsd || linux

package fsstore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// The server is this test binary again, as nobody.
const (
	serverVariable = "FSSTORE_TEST_SERVER"
	nobody         = 65534
)

func TestMain(m *testing.M) {
	if form := os.Getenv(serverVariable); form != "" {
		if err := serve(fsstore.Options{Dir: os.Args[1], Shared: form == "shared"}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve uses every session that is there, and saves some of its own.
func serve(o fsstore.Options) error {
	if err := errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		return err
	}
	s, err := fsstore.Open(o)
	if err != nil {
		return err
	}
	defer s.Close()
	for n := range byte(200) {
		r := core.Record{ID: core.ID{n, 2}, Version: 1, Sealed: make([]byte, 20<<10)}
		if err := s.Save(context.Background(), r, core.NoVersion); err != nil {
			return err
		}
		if err := s.Delete(context.Background(), core.ID{n, 1}); err != nil {
			return err
		}
	}
	return nil
}

// TestRootLocksNobodyOut: what a command of root's makes in the directory of
// another user is that user's.
func TestRootLocksNobodyOut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED: files that root makes; run the tests as root")
	}
	for _, form := range []string{"log", "shared"} {
		t.Run(form, func(t *testing.T) {
			home, err := os.MkdirTemp("", "owner") // whose way is open to nobody
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
			require.NoError(t, os.Chown(home, nobody, nobody))
			dir := filepath.Join(home, "var", "sessions")
			s, err := fsstore.Open(fsstore.Options{Dir: dir, Shared: form == "shared"})
			require.NoError(t, err)
			for n := range byte(200) { // more than one segment
				r := core.Record{ID: core.ID{n, 1}, Version: 1, Sealed: make([]byte, 20<<10)}
				require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
			}
			require.NoError(t, s.Close())
			requireOwner(t, home)

			server := exec.Command(os.Args[0], dir)
			server.Env = append(os.Environ(), serverVariable+"="+form)
			said, err := server.CombinedOutput()
			require.NoError(t, err, string(said))
		})
	}
}

// requireOwner finds nothing that is not nobody's.
func requireOwner(t *testing.T, dir string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		is := info.Sys().(*syscall.Stat_t)
		require.Equal(t, []uint32{nobody, nobody}, []uint32{is.Uid, is.Gid}, path)
		return nil
	}))
}

// TestADirectoryThatCannotBeMadeIsTold: nothing was there that could be restored.
func TestADirectoryThatCannotBeMadeIsTold(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: a filesystem without room for directories; there is no /proc here")
	}
	for _, shared := range []bool{false, true} {
		_, err := fsstore.Open(fsstore.Options{Dir: "/proc/x", Shared: shared})
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, "cannot be created there")
		require.NotContains(t, err.Error(), "removed")
	}
}
