package linear_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/peers/linear"
)

// Eight clients work on a store, and what they saw is judged. A client that saw
// something else is found out.
func Example() {
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	var text bytes.Buffer
	log := linear.NewLog(&text)
	linear.Work{Name: "example", Seed: 1, Clients: 8, Began: linear.Now(), Groups: 3}.Do(context.Background(), log, store)
	history, err := linear.Read(&text)
	fmt.Println("read:", err)
	fmt.Println("judged:", linear.Check(history))

	for i, op := range history {
		if op.Verb == linear.Load && op.Answer == linear.Done {
			history[i].State.Version++
			break
		}
	}
	fmt.Println("with a lie:", errors.Is(linear.Check(history), linear.ErrNotLinear))
	// Output:
	// read: <nil>
	// judged: <nil>
	// with a lie: true
}
