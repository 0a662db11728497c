package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// npmFile gets a file of a package by npm, whose cache spares the network. The
// package must have the sum that npm says it has, SHA-512 in base64.
func npmFile(t *testing.T, name, version, sum, path string) []byte {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, LOUDLY: no npm here; install it to run the tests with %s", name)
	}
	require.NoError(t, err)
	dir := t.TempDir()
	pack := exec.CommandContext(t.Context(), npm, "pack", name+"@"+version, "--silent", "--prefer-offline", "--pack-destination", dir)
	out, err := pack.CombinedOutput()
	require.NoError(t, err, string(out))
	packed := file(t, filepath.Join(dir, name+"-"+version+".tgz"))
	got := sha512.Sum512(packed)
	require.Equal(t, sum, base64.StdEncoding.EncodeToString(got[:]))
	unzip, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	for files := tar.NewReader(unzip); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("no %s in %s", path, name)
		}
		require.NoError(t, err)
		if h.Name == "package/"+path {
			text, err := io.ReadAll(files)
			require.NoError(t, err)
			return text
		}
	}
}
