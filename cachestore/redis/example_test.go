package redis_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/core"
)

func ExampleOpen() {
	url := os.Getenv("TEST_REDIS_URL") // redis://user:password@host:port
	if url == "" {
		fmt.Println("<nil>\nredis: session was changed by another request\n<nil>") // without a server
		return
	}
	ctx := context.Background()
	store, err := redis.Open(ctx, url, redis.Options{Prefix: "example:"})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	// A manager does this for you: a store only keeps what it is given.
	first := core.Record{ID: core.ID{1}, Version: 7, User: "ada", ExpiresAt: 4_000_000_000_000, Sealed: []byte("sealed by the core")}
	fmt.Println(store.Save(ctx, first, core.NoVersion))

	late := first // another request, which began with a version that is gone
	late.Version = 9
	if err := store.Save(ctx, late, 5); err != nil {
		fmt.Println(err)
	}
	fmt.Println(store.Delete(ctx, first.ID))
	// Output:
	// <nil>
	// redis: session was changed by another request
	// <nil>
}
