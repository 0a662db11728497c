module github.com/rockstar-web/sessions/hosts/caddy/tests

go 1.26.0

require (
	github.com/rockstar-web/sessions v0.1.0
	github.com/rockstar-web/sessions/hosts/caddy v0.1.0
	github.com/rockstar-web/sessions/stores/all v0.1.0
)

require github.com/caddyserver/caddy/v2 v2.11.9

require github.com/stretchr/testify v1.12.1
