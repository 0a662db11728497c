package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

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

// Add counts, even if others add at the same time.
func ExampleManager_Add() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	s, _ := m.Create(ctx)
	_ = m.Save(ctx, s)

	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _, _ = m.Add(ctx, s.ID, "downloads", 1) })
	}
	all.Wait()
	fmt.Println(m.Add(ctx, s.ID, "downloads", 0))
	// Output: 20 <nil>
}

// UpdateByID keeps what a function makes of a struct. It runs again where another
// request has stored something else meanwhile, so it must only compute.
func ExampleUpdateByID() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	s, _ := m.Create(ctx)
	_ = m.Save(ctx, s)

	type quota struct {
		Used, Limit int
	}
	errFull := errors.New("the quota is used up")
	use := func(n int) error {
		return hosts.UpdateByID(ctx, m, s.ID, "quota", func(q quota) (quota, error) {
			if q.Limit == 0 {
				q.Limit = 10 // at first
			}
			if q.Used+n > q.Limit {
				return q, errFull // nothing is stored
			}
			q.Used += n
			return q, nil
		})
	}
	fmt.Println(use(4), use(5), errors.Is(use(2), errFull))
	stored, _ := m.Load(ctx, s.ID)
	fmt.Println(hosts.Get[quota](stored, "quota"))
	// Output:
	// <nil> <nil> true
	// {9 10} <nil>
}

// Take gives a one-time token to one caller.
func ExampleManager_Take() {
	m := manager()
	defer m.Close()
	ctx := context.Background()
	s, _ := m.Create(ctx)
	s.Data["link"] = "Vq3n"
	_ = m.Save(ctx, s)

	fmt.Println(m.Take(ctx, s.ID, "link"))
	_, err := m.Take(ctx, s.ID, "link")
	fmt.Println(errors.Is(err, hosts.ErrNoValue))
	// Output:
	// Vq3n <nil>
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

// A rotation: the ring is brought to all servers before the moment from which the
// new key encrypts. The old one opens cookies for as long as sessions last.
func ExampleConfig_rotation() {
	hexKey := func(text string) core.Secret {
		key, err := core.ParseKey(text)
		if err != nil {
			log.Fatal(err)
		}
		return key
	}
	old := hexKey("9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53")
	fresh := hexKey("7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15")
	when := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

	config := hosts.Config{
		Keys: core.KeyRing{
			{Bytes: old, OpenUntil: core.TimeOf(when.AddDate(0, 0, 30))},
			{Bytes: fresh, SealFrom: core.TimeOf(when)},
		},
	}
	fmt.Println(config.Keys[0].OpenUntil, config.Keys[1].SealFrom, config.Keys[1].Bytes)
	// Output: 2026-05-31T00:00:00.000Z 2026-05-01T00:00:00.000Z secret
}
