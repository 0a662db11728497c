//go:build darwin || freebsd || linux

package seglog_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/seglog"
)

func ExampleOpen() {
	tmp, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	o := seglog.Options{Dir: filepath.Join(tmp, "sessions")}
	store, err := seglog.Open(o)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	r := core.Record{ID: core.ID{1}, Version: 7, User: "ada", Sealed: []byte("sealed by the core")}
	fmt.Println(store.Save(ctx, r, core.NoVersion))
	fmt.Println(store.Close())

	store, err = seglog.Open(o)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	r, err = store.Load(ctx, r.ID)
	fmt.Println(r.Version, err)
	// Output:
	// <nil>
	// <nil>
	// 7 <nil>
}
