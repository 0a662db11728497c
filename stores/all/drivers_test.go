package all_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// drivers are the modules that speak to a backend.
var drivers = strings.Fields("github.com/ncruces/go-sqlite3 github.com/jackc/pgx/v5 github.com/go-sql-driver/mysql github.com/redis/rueidis")

// TestAProgramLinksTheStoreThatItImports, and no other's driver.
func TestAProgramLinksTheStoreThatItImports(t *testing.T) {
	for name, want := range map[string][]string{
		"core": nil, "hosts": nil, "hosts/nethttp": nil, "cachestore": nil, "fsstore": nil, "dbstore": nil, "conformance": nil,
		"dbstore/sqlite":   drivers[:1],
		"dbstore/postgres": drivers[1:2],
		"dbstore/mysql":    drivers[2:3],
		"cachestore/redis": drivers[3:],
		"stores":           nil, "sessionctl": nil,
		"stores/all":        drivers,
		"cmd/sessionctl":    drivers,
		"conformance/ratio": nil,
	} {
		out, err := exec.Command("go", "list", "-deps", "github.com/rockstar-web/sessions/"+name).CombinedOutput()
		require.NoError(t, err, string(out))
		var linked []string
		for _, driver := range drivers {
			if slices.ContainsFunc(strings.Fields(string(out)), func(dep string) bool {
				return dep == driver || strings.HasPrefix(dep, driver+"/")
			}) {
				linked = append(linked, driver)
			}
		}
		require.Equal(t, want, linked, name)
	}
}
