// Cmd is sessionctl for the store of this example, beside memory and files.
package main

import (
	_ "github.com/rockstar-web/sessions/examples/natsstore"
	"github.com/rockstar-web/sessions/sessionctl"
)

func main() { sessionctl.Main() }
