package natsstore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThePageHasThisCode: docs/write-a-store.md shows what runs here.
func TestThePageHasThisCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/write-a-store.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED: docs/write-a-store.md is only in the repository")
	}
	require.NoError(t, err)
	var code strings.Builder
	for _, pattern := range []string{"*.go", "cmd/*.go", "../mapstore/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code.Write(text)
		}
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for declaration := range strings.SplitSeq(block[1], "\n}\n\n") {
			require.Contains(t, code.String(), strings.TrimSuffix(declaration, "\n"))
		}
	}
}
