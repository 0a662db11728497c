package cachestore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
)

func ExampleOpen() {
	store, err := cachestore.Open(cachestore.Options{MaxBytes: 64 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	ctx := context.Background()
	r := core.Record{ID: core.ID{1}, Version: 7, User: "ann", ExpiresAt: core.Day, Sealed: []byte("sealed by the core")}
	fmt.Println("insert:", store.Save(ctx, r, core.NoVersion))

	// Two requests have loaded version 7. The first to save wins, the other is told.
	first, second := r, r
	first.Version, second.Version = 8, 9
	fmt.Println("first:", store.Save(ctx, first, 7))
	fmt.Println("second:", store.Save(ctx, second, 7))

	fmt.Println("logout:", store.Delete(ctx, r.ID))
	_, err = store.Load(ctx, r.ID)
	fmt.Println("gone:", errors.Is(err, core.ErrNotFound), store.Stats().Sessions)
	// Output:
	// insert: <nil>
	// first: <nil>
	// second: cachestore: session was changed by another request
	// logout: <nil>
	// gone: true 0
}
