module github.com/rockstar-web/sessions/cachestore/redis

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require github.com/redis/rueidis v1.0.79

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/stretchr/testify v1.12.1
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
