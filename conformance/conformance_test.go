package conformance_test

import (
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
)

func TestRightStore(t *testing.T) {
	conformance.TestStore(t, func(*testing.T) hosts.Store { return newMapStore() })
}

// plain hides the optional interfaces.
type plain struct{ hosts.Store }

func TestPlainStore(t *testing.T) {
	conformance.TestStore(t, func(*testing.T) hosts.Store { return plain{newMapStore()} })
}

func TestTwoHandles(t *testing.T) {
	conformance.TestShared(t, func(*testing.T) (a, b hosts.Store) {
		m := newMapStore()
		return m, &struct{ *mapStore }{m}
	})
}
