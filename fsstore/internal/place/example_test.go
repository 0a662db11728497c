//go:build darwin || freebsd || linux

package place_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

func ExampleDir_Claim() {
	tmp, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	dir, err := place.Open(filepath.Join(tmp, "sessions"))
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()
	fmt.Println(dir.Claim(place.Slots))
	fmt.Println(dir.Claim(place.Log) != nil) // it has a form now
	// Output:
	// <nil>
	// true
}
