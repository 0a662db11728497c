// A program that reads an old cookie, and does not link gorilla/sessions, as
// programs do that have moved.
package main

import (
	"fmt"
	"log"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/rockstar-web/sessions/hosts/migrate"
	gorillamigrate "github.com/rockstar-web/sessions/hosts/migrate/gorilla"
)

func main() {
	source, err := gorillamigrate.Source(gorillamigrate.Options{Name: "auth", KeyPairs: [][]byte{[]byte(os.Args[1])}})
	if err != nil {
		log.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "auth", Value: os.Args[2]})
	old, err := source.Load(r.Context(), r)
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(old.Values)) {
		v := old.Values[name]
		if err := migrate.Unread(v); err != nil {
			v = err
		}
		fmt.Printf("%s: %v\n", name, v)
	}
}
