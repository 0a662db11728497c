package wazero_test

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/wazero"
)

// A manager decides by the core as WebAssembly; everything else is as ever.
func Example() {
	engine, err := wazero.New(context.Background(), wazero.Options{})
	if err != nil {
		panic(err)
	}
	defer engine.Close()
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	manager, err := hosts.New(store, hosts.Config{Key: testKey, Engine: engine.Configure})
	if err != nil {
		panic(err)
	}
	defer manager.Close()

	ctx := context.Background()
	s, err := manager.Create(ctx)
	if err != nil {
		panic(err)
	}
	s.Data["colour"] = "blue"
	if err := manager.Save(ctx, s); err != nil {
		panic(err)
	}
	again, err := manager.Load(ctx, s.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Data["colour"])
	// Output: blue
}
