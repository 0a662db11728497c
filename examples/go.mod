module github.com/rockstar-web/sessions/examples

go 1.26.0

require (
	github.com/rockstar-web/sessions v0.1.0
	github.com/rockstar-web/sessions/dbstore/sqlite v0.1.0
)

require (
	connectrpc.com/connect v1.21.1
	github.com/a-h/templ v0.3.1118
	github.com/go-chi/chi/v5 v5.5.0
	github.com/gorilla/mux v1.8.1
	github.com/stretchr/testify v1.12.1
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/ncruces/go-sqlite3 v0.37.0 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.5.35401 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.50.0 // indirect
)
