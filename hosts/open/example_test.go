package open_test

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/hosts/open"
)

func ExampleStore() {
	store, closer, err := open.Store(context.Background(), "memory:")
	if err != nil {
		panic(err)
	}
	defer closer.Close()
	fmt.Printf("%T\n", store)

	_, _, err = open.Store(context.Background(), "carrier-pigeon:")
	fmt.Println(err != nil)
	// Output:
	// *cachestore.Store
	// true
}
