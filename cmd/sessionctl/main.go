// Sessionctl is the operator's command for sessions in any store of this project,
// and a demo. See docs/sessionctl.md; package sessionctl has the commands.
package main

import (
	"github.com/rockstar-web/sessions/sessionctl"
	_ "github.com/rockstar-web/sessions/stores/all"
)

func main() { sessionctl.Main(demoCommand) }
