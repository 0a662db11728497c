// Sources prints the hash of everything that wasm/build makes its modules of. Run
// at the root of the module; wasm/build --write keeps it beside core.wasm.
package main

import (
	"fmt"
	"os"

	"github.com/rockstar-web/sessions/wasm/sources/hash"
)

func main() {
	sum, err := hash.Of(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "sources:", err)
		os.Exit(1)
	}
	fmt.Println(sum)
}
