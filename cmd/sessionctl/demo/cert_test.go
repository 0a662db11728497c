package demo_test

import (
	"bytes"
	"io"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/stretchr/testify/require"
)

// TestNoURLWithoutCertificate: what waits for the URL must not find a server
// that is about to give up.
func TestNoURLWithoutCertificate(t *testing.T) {
	var out bytes.Buffer
	missing := filepath.Join(t.TempDir(), "missing.pem")
	err := demo.Run(t.Context(), demo.Options{Addr: "127.0.0.1:0", Store: "memory:", Cert: missing, CertKey: missing}, &out, io.Discard)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Empty(t, out.String())
}
