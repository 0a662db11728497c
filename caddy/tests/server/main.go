// Server is Caddy with the session module and all stores.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
	_ "github.com/rockstar-web/sessions/caddy"
	_ "github.com/rockstar-web/sessions/stores/all"
)

func main() { caddycmd.Main() }
