//go:build !(darwin || freebsd || linux)

package fsstore_test

import (
	"errors"
	"testing"

	"github.com/rockstar-web/sessions/fsstore"
	"github.com/stretchr/testify/require"
)

func TestOpenRefusesWithoutFlock(t *testing.T) {
	_, err := fsstore.Open(fsstore.Options{Dir: t.TempDir()})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "has no flock")
}
