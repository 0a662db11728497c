module github.com/rockstar-web/sessions/hosts/metrics

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require (
	github.com/prometheus/client_golang v1.24.1
	github.com/stretchr/testify v1.12.1
)
