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
	packed := packedByNPM(t, name, version)
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

// packedByNPM is the archive of a package, which all tests share.
func packedByNPM(t *testing.T, name, version string) []byte {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, LOUDLY: no npm here; install it to run the tests with %s", name)
	}
	require.NoError(t, err)
	archive := filepath.Join(scratch, name+"-"+version+".tgz")
	if _, err := os.Stat(archive); err != nil {
		out, err := exec.CommandContext(t.Context(), npm, "pack", name+"@"+version, "--silent", "--prefer-offline", "--pack-destination", scratch).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return file(t, archive)
}
