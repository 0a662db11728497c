module github.com/rockstar-web/sessions/dbstore/sqlite

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require github.com/ncruces/go-sqlite3 v0.37.0

require github.com/stretchr/testify v1.12.1

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.5.35401 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
