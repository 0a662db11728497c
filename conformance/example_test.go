package conformance_test

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
)

// Check returns the broken promises of a store as values; tests call TestStore.
func ExampleCheck() {
	broken := conformance.Check(context.Background(), func() (hosts.Store, func(), error) {
		s, err := cachestore.Open(cachestore.Options{})
		if err != nil {
			return nil, nil, err
		}
		return s, func() { s.Close() }, nil
	})
	fmt.Println(len(broken), "promises broken")
	// Output: 0 promises broken
}
