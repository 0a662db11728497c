//go:build darwin || freebsd || linux

package slots_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
)

func ExampleOpen() {
	tmp, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)

	store, err := slots.Open(slots.Options{Dir: filepath.Join(tmp, "sessions")})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	// A manager does this for you: a store only keeps what it is given.
	ctx := context.Background()
	first := core.Record{ID: core.ID{1}, Version: 7, User: "ada", Sealed: []byte("sealed by the core")}
	fmt.Println(store.Save(ctx, first, core.NoVersion))

	second := first
	second.Version = 8
	fmt.Println(store.Save(ctx, second, first.Version))

	late := first // another request, which also began with version 7
	late.Version = 9
	fmt.Println(store.Save(ctx, late, first.Version))

	fmt.Println(store.Delete(ctx, first.ID))
	_, err = store.Load(ctx, first.ID)
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// session was changed by another request
	// <nil>
	// session not found
}
