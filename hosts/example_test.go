package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// manager returns one over memory. Its key comes from the environment.
func manager() *hosts.Manager {
	os.Setenv("SESSION_ENCRYPTION_KEY", "5f0e8b0ba2e1c7724d9c6f3f0f1d6b8a2c4e9d7b6a5f4e3d2c1b0a9f8e7d6c5b")
	key, err := hosts.KeyFromEnv("")
	if err != nil {
		panic(err)
	}
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		panic(err)
	}
	m, err := hosts.New(store, hosts.Config{Key: key})
	if err != nil {
		panic(err)
	}
	return m
}

// A program makes a session, keeps something in it and finds it by its ID.
func ExampleNew() {
	m := manager()
	defer m.Close()
	ctx := context.Background()

	s, err := m.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	s.UserID = "ann"
	s.Data["roles"] = []string{"editor", "admin"}
	if err := m.Save(ctx, s); err != nil {
		fmt.Println(err)
		return
	}
	again, err := m.Load(ctx, s.ID)
	fmt.Println(again.UserID, again.Data["roles"], err)
	// Output: ann [editor admin] <nil>
}

// Set changes one value without losing what others change at the same time.
func ExampleManager_Set() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	s, _ := m.Create(ctx)
	_ = m.Save(ctx, s)

	fmt.Println(m.Set(ctx, s.ID, "theme", "dark"))
	fmt.Println(m.Get(ctx, s.ID, "theme"))
	_, err := m.Get(ctx, s.ID, "colour")
	fmt.Println(errors.Is(err, hosts.ErrNoValue))
	_, err = m.Get(ctx, core.ID{1}, "theme")
	fmt.Println(errors.Is(err, core.ErrNotFound))
	// Output:
	// <nil>
	// dark <nil>
	// true
	// true
}

// Revoke signs a user out everywhere but here.
func ExampleManager_Revoke() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	var here core.ID
	for range 3 {
		s, _ := m.Create(ctx)
		s.UserID = "ann"
		_ = m.Save(ctx, s)
		here = s.ID
	}

	fmt.Println(m.Revoke(ctx, hosts.Query{User: "ann"}, here))
	left, _, err := m.Sessions(ctx, hosts.Query{User: "ann"}, core.ID{}, 0)
	fmt.Println(len(left), left[0].ID == here, err)
	// Output:
	// 2 <nil>
	// 1 true <nil>
}

// Structs are kept by Put and come back by Get, here with a program's session
// and in nethttp with a visitor's.
func ExamplePut() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	s, _ := m.Create(ctx)

	type cart struct {
		Items []string `session:"items"`
		Cents int      `session:"cents"`
	}
	fmt.Println(hosts.Put(s, "cart", cart{[]string{"book", "pen"}, 2350}))
	fmt.Println(m.Save(ctx, s))
	c, err := hosts.Get[cart](s, "cart")
	fmt.Println(c.Items, c.Cents, err)
	_, err = hosts.Get[int](s, "cart")
	fmt.Println(errors.Is(err, hosts.ErrValueType))
	// Output:
	// <nil>
	// <nil>
	// [book pen] 2350 <nil>
	// true
}
