//go:build darwin || freebsd || linux

package slots_test

import (
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// Two handles lock each other out as two processes do.
func TestConformance(t *testing.T) {
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		dir := t.TempDir()
		return open(t, slots.Options{Dir: dir}), open(t, slots.Options{Dir: dir})
	}, shorter(t)...)
}

// shorter leaves out, outside make soak, the cases that make thousands of files. Other
// cases of searches and sweeps stay.
func shorter(t *testing.T) (all []conformance.Option) {
	if soak.On() {
		return nil
	}
	for _, name := range []string{"find-names", "find-acknowledged", "sweep-cut", "sweep-again"} {
		all = append(all, conformance.Skip(name, soak.Short))
	}
	return all
}

func TestConformanceFast(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		return open(t, slots.Options{Dir: t.TempDir(), Fast: true})
	}, soak.Unless(t, conformance.Brief())...)
}

func open(t testing.TB, o slots.Options) *slots.Store {
	t.Helper()
	s, err := slots.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
