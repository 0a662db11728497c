package sessionctl

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

func TestList(t *testing.T) {
	url := fileStore(t)
	records := crowd(t, url)
	for args, want := range map[string][]int{ // numbers of records
		"":                               {1, 2, 3, 4, 5, 6, 7, 8},
		"--user alice":                   {1, 2, 5},
		"--user alice --tenant acme":     {5},
		"--tenant acme":                  {5, 6, 7},
		"--user=":                        {4, 7},
		"--user= --tenant=":              {4},
		"--user nobody":                  nil,
		"--expired-before 0s":            {3, 6},
		"--expired-before 3h":            nil,
		"--expired-before 1h --user bob": {3},
		"--expired-before 2999-01-01T00:00:00Z --tenant acme": {5, 6, 7},
	} {
		t.Run(args, func(t *testing.T) {
			code, stdout, stderr := on(t, url, "list", append(strings.Fields(args), "--json")...)
			require.Zero(t, code, stderr)
			require.Empty(t, stderr)
			var chosen []core.Record
			for _, n := range want {
				chosen = append(chosen, records[n-1])
			}
			list := objects(t, stdout)
			require.Len(t, list, len(want))
			for i, r := range byID(chosen) {
				created, err := time.Parse(time.RFC3339, list[i]["created"].(string))
				require.NoError(t, err)
				require.Equal(t, int64(r.CreatedAt), created.UnixMilli())
				delete(list[i], "created")
				require.Contains(t, list[i], "seen")
				require.Contains(t, list[i], "expires")
				delete(list[i], "seen")
				delete(list[i], "expires")
				require.Equal(t, map[string]any{"id": r.ID.String(), "tenant": r.Tenant, "user": r.User, "size": 100.0}, list[i])
			}

			code, stdout, stderr = on(t, url, "list", strings.Fields(args)...)
			require.Zero(t, code, stderr)
			require.Equal(t, len(want)+1, strings.Count(stdout, "\n"), stdout)
			require.True(t, strings.HasPrefix(stdout, "ID "), stdout)
			for _, r := range chosen {
				require.Contains(t, stdout, fmt.Sprintf("%v  %v  %v  %v      100  %s", r.ID, moment(r.CreatedAt), moment(r.SeenAt), moment(r.ExpiresAt), shown(r.User)))
			}
		})
	}
}

func TestListLimit(t *testing.T) {
	url := fileStore(t)
	var records []core.Record
	for n := range uint32(2*firstPage + 50) { // several pages
		records = append(records, record(n, "u", ""))
	}
	fill(t, url, records...)
	for limit, want := range map[string]int{"0": len(records), "1": 1, "100": 100, "101": 101, "9999": len(records)} {
		code, stdout, stderr := on(t, url, "list", "--limit", limit, "--json")
		require.Zero(t, code, stderr)
		list := objects(t, stdout)
		require.Len(t, list, want)
		for i, r := range byID(records)[:want] {
			require.Equal(t, r.ID.String(), list[i]["id"])
		}
		require.Empty(t, stderr)
	}
}

// Names may hold anything but controls, and must not act on a terminal.
func TestNamesAreHarmless(t *testing.T) {
	url := fileStore(t)
	evil := "\u202eevil\u202c b \u00a0 \"q\""
	fill(t, url, record(1, evil, "-"), record(2, "ünï", ""))
	code, stdout, stderr := on(t, url, "list")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"\u202eevil\u202c b \u00a0 \"q\""  "-"`)
	require.Contains(t, stdout, "  ünï\n")
	require.NotContains(t, stdout, "\u202e")
	code, stdout, stderr = on(t, url, "list", "--json", "--user", evil)
	require.Zero(t, code, stderr)
	require.Equal(t, evil, objects(t, stdout)[0]["user"])
}
