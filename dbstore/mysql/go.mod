module github.com/rockstar-web/sessions/dbstore/mysql

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require github.com/go-sql-driver/mysql v1.10.1

require github.com/stretchr/testify v1.12.1

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
