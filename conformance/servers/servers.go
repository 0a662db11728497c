// Package servers gives tests the real servers that they need. `make test`
// starts private ones and names them in the environment. Set the variables to use
// servers of your own. Tests that kill a server, have another take
// over or change its settings start some for themselves: NewPostgres, NewMariaDB, NewRedis.
package servers

import (
	"os"
	"testing"
)

// Postgres returns the URL of a PostgreSQL server, from TEST_POSTGRES_DSN.
func Postgres(t testing.TB) string { t.Helper(); return need(t, "TEST_POSTGRES_DSN", "PostgreSQL") }

// MySQL returns the URL of a MySQL or MariaDB server, from TEST_MYSQL_DSN:
// mysql://user:password@host:port/database.
func MySQL(t testing.TB) string { t.Helper(); return need(t, "TEST_MYSQL_DSN", "MySQL or MariaDB") }

// Redis returns the URL of a Redis or Valkey server, from TEST_REDIS_URL.
func Redis(t testing.TB) string { t.Helper(); return need(t, "TEST_REDIS_URL", "Redis") }

// RedisCluster returns the URL of a cluster, from TEST_REDIS_CLUSTER_URL:
// redis+cluster://host:port,host:port.
func RedisCluster(t testing.TB) string {
	t.Helper()
	return need(t, "TEST_REDIS_CLUSTER_URL", "a Redis cluster")
}

// need skips, loudly, a test whose server is not named; where CI is set it fails.
func need(t testing.TB, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	switch {
	case value != "":
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not set: this test needs %s; `make test` starts one", variable, what)
	default:
		t.Skipf("SKIPPED, NOT TESTED: %s; run `make test`, or name a server in %s", what, variable)
	}
	return value
}
