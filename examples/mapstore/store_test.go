package mapstore_test

import (
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/examples/mapstore"
	"github.com/rockstar-web/sessions/hosts"
)

func TestStore(t *testing.T) {
	conformance.TestStore(t, func(*testing.T) hosts.Store { return mapstore.New() })
}
