package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "data", "sessions.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	// A manager does this for you: a store only keeps what it is given.
	r := core.Record{ID: core.ID{1}, Version: 7, User: "ada", ExpiresAt: core.Day, Sealed: []byte("sealed by the core")}
	fmt.Println(store.Save(ctx, r, core.NoVersion))
	found, err := store.Find(ctx, hosts.Query{User: "ada"}, core.ID{}, 10)
	fmt.Println(len(found), err)
	fmt.Println(store.Sweep(ctx, 2*core.Day, 100))
	fmt.Println(store.Save(ctx, r, core.Version(6)))
	// Output:
	// <nil>
	// 1 <nil>
	// 1 <nil>
	// session was changed by another request
}
