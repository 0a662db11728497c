//go:build !(darwin || freebsd || linux)

package slots_test

import (
	"errors"
	"testing"

	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

func TestOpenRefusesWithoutFlock(t *testing.T) {
	_, err := slots.Open(slots.Options{Dir: t.TempDir()})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "has no flock")
}
