module github.com/rockstar-web/sessions/hosts/echo

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require (
	github.com/labstack/echo/v5 v5.4.5
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/time v0.15.0 // indirect
)
