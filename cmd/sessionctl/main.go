// Sessionctl is the operator's command for sessions in any store of this project,
// and a demo. See docs/sessionctl.md; package sessionctl has the commands.
package main

import (
	"github.com/rockstar-web/sessions/hosts/metrics"
	"github.com/rockstar-web/sessions/sessionctl"
	_ "github.com/rockstar-web/sessions/stores/all"
)

func main() {
	sessionctl.Program{
		More:  []sessionctl.Command{demoCommand},
		Meter: func() sessionctl.Meter { return metrics.New() },
	}.Main()
}
