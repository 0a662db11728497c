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

// values puts and gets by way of a manager, for Put and Get.
type values struct {
	context.Context
	*hosts.Manager
	id core.ID
}

func (v values) Put(name string, value any) error     { return v.Manager.Set(v, v.id, name, value) }
func (v values) Get(name string) (value any, _ error) { return v.Manager.Get(v, v.id, name) }

// Structs are kept by Put and come back by Get; a visitor's session in nethttp
// is a Putter and a Getter as it is.
func ExamplePut() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	s, _ := m.Create(ctx)
	_ = m.Save(ctx, s)
	v := values{ctx, m, s.ID}

	type cart struct {
		Items []string `session:"items"`
		Cents int      `session:"cents"`
	}
	fmt.Println(hosts.Put(v, "cart", cart{[]string{"book", "pen"}, 2350}))
	c, err := hosts.Get[cart](v, "cart")
	fmt.Println(c.Items, c.Cents, err)
	_, err = hosts.Get[int](v, "cart")
	fmt.Println(errors.Is(err, hosts.ErrValueType))
	// Output:
	// <nil>
	// [book pen] 2350 <nil>
	// true
}
