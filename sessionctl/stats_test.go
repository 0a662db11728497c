package sessionctl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStats(t *testing.T) {
	url := fileStore(t)
	records := crowd(t, url) // 8 of three tenants; two expired
	code, stdout, stderr := on(t, url, "stats", "--json")
	require.Zero(t, code, stderr)
	whole := objects(t, stdout)[0]
	require.EqualValues(t, len(records), whole["sessions"])
	require.EqualValues(t, len(records)-2, whole["live"])
	require.EqualValues(t, 2, whole["expired"])
	require.EqualValues(t, 100*len(records), whole["bytes"])
	require.EqualValues(t, 4, whole["signed_in"], "alice thrice, and -")
	tenants := whole["tenants"].(map[string]any)
	require.Len(t, tenants, 3)
	require.EqualValues(t, 3, tenants["acme"].(map[string]any)["sessions"])

	code, stdout, stderr = on(t, url, "stats")
	require.Zero(t, code, stderr)
	require.Regexp(t, `(?m)^"a b"\s+1\s+1\s+0\s+1\s+100$`, stdout)
	require.Regexp(t, `(?m)^\(all\)\s+8\s+6\s+2\s+4\s+800$`, stdout)
	code, stdout, stderr = on(t, url, "stats", "--user", "alice", "--json")
	require.Zero(t, code, stderr)
	require.EqualValues(t, 3, objects(t, stdout)[0]["sessions"])
}

// So that no store makes the counts grow without an end.
func TestStatsOfManyTenants(t *testing.T) {
	o := statsOutput{Tenants: map[string]*counts{}}
	for i := range maxTenants + 5 {
		o.of(strings.Repeat("t", i)).Sessions++
	}
	require.Len(t, o.Tenants, maxTenants)
	require.Equal(t, 5, o.Others.Sessions)
}
