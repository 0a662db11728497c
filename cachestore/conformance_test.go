package cachestore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
)

func TestConformance(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		st := open(t, 32<<20)
		t.Cleanup(func() {
			if !t.Failed() {
				audit(t, st)
			}
			require.NoError(t, st.Close())
		})
		return st
	})
}
