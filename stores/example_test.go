package stores_test

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/stores"
)

func ExampleOpen() {
	store, closer, err := stores.Open(context.Background(), "memory:")
	if err != nil {
		panic(err)
	}
	defer closer.Close()
	fmt.Printf("%T\n", store)

	_, _, err = stores.Open(context.Background(), "carrier-pigeon:")
	fmt.Println(err != nil)
	// Output:
	// *cachestore.Store
	// true
}
