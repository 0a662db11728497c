package sessionctl

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/values"
)

// visit stores a session with everything in it, as a server would.
func visit(t *testing.T, url string, at time.Time) core.Record {
	t.Helper()
	key, err := core.ParseKey(testKey)
	require.NoError(t, err)
	m, err := core.NewMachine(core.Policy{IdleTimeout: core.Hour}, core.KeyRing{{Bytes: key}})
	require.NoError(t, err)
	s := m.New(core.Request{Tenant: "acme", IP: string([]byte{192, 0, 2, 7}), UserAgent: "Moz\u202eilla/5.0\x1b[2J"})
	require.NoError(t, s.Login("alice", 0))
	for name, v := range map[string]any{
		"roles": []string{"admin"}, "zero": 0, "none": nil, "nan": math.NaN(), "blob": []byte{1, 2}, "wait": time.Minute,
		"year": time.Date(9999, 12, 31, 23, 30, 0, 6, time.UTC).In(time.FixedZone("", 3600)), "hidden name": "hush-hush", "raw": "\xff",
		"deep": map[string]any{"list": []any{math.Inf(1), time.Unix(0, 0).UTC()}}, "rtl": "\u202e",
	} {
		encoded, err := values.Encode(name, v)
		require.NoError(t, err)
		require.NoError(t, s.SetValue(name, encoded))
	}
	e, err := m.Commit(s, core.Time(at.UnixMilli()), core.Seed{7: byte(at.UnixMilli()), 8: 1})
	require.NoError(t, err)
	fill(t, url, *e.Save)
	return *e.Save
}

func TestShow(t *testing.T) {
	url := fileStore(t)
	live, over := visit(t, url, time.Now()), visit(t, url, time.Now().Add(-48*time.Hour+time.Millisecond))
	env := []string{"SESSION_ENCRYPTION_KEY=" + testKey, "SESSION_STORE=" + url}
	show := func(code int, key bool, args ...string) string {
		t.Helper()
		c := call{args: append([]string{"show"}, args...), env: env}
		if !key {
			c.env = env[1:]
		}
		got, stdout, stderr := c.run(t)
		require.Equal(t, code, got, stderr)
		require.NotContains(t, stdout+stderr, testKey)
		if got < 2 {
			require.Empty(t, stderr)
		}
		return stdout
	}
	id := live.ID.String()

	text := show(0, false, id)
	for _, part := range []string{id, "acme", "alice", moment(live.CreatedAt).String(), "bytes; set SESSION_ENCRYPTION_KEY"} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "192.0.2.7")
	o := objects(t, show(0, false, "--json", id))[0]
	require.Equal(t, false, o["opens"])
	require.NotContains(t, o, "sealed")

	text = show(0, true, id)
	for _, part := range []string{"opened", "192.0.2.7", `Moz\u202eilla/5.0\x1b[2J`, "deadline", `"hidden name": string, 10 bytes`, "roles: []string, ", "blob: []byte, 3 bytes", "deep: map[string]any, "} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "hush-hush")
	require.NotContains(t, text, "\x1b")
	require.NotContains(t, text, "\u202e")

	text = show(0, true, "--values", id)
	for _, part := range []string{`: "hush-hush"`, `["admin"]`, ": 0\n", ": null\n", `: "NaN"`, `: "AQI="`, `: "1m0s"`,
		`: "10000-01-01T00:30:00.000000006+01:00"`, `{"list":["+Inf","1970-01-01T00:00:00Z"]}`, `: "\u202e"`} {
		require.Contains(t, text, part)
	}
	o = objects(t, show(0, true, "--values", "--json", id))[0]
	require.Equal(t, true, o["opens"])
	require.Equal(t, false, o["expired"])
	in := o["sealed"].(map[string]any)
	require.Equal(t, "192.0.2.7", in["ip"])
	require.Contains(t, in, "login")
	values := map[string]any{}
	for _, v := range in["values"].([]any) {
		values[v.(map[string]any)["name"].(string)] = v.(map[string]any)["value"]
	}
	require.Equal(t, "hush-hush", values["hidden name"])
	require.Equal(t, 0.0, values["zero"])

	text = show(0, true, over.ID.String())
	require.Contains(t, text, ", expired")
	require.Contains(t, text, "192.0.2.7")
}

func TestShowRefuses(t *testing.T) {
	url := fileStore(t)
	r := visit(t, url, time.Now())
	moved := r
	moved.ID[0]++
	moved.User = "mallory"
	fill(t, url, moved)
	other := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(other, []byte(strings.Repeat("0123456789abcdef", 3)+"fedcba9876543210"), 0o600))
	id, key := r.ID.String(), []string{"SESSION_ENCRYPTION_KEY=" + testKey}
	for name, c := range map[string]struct {
		args           string
		env            []string
		code           int
		stdout, stderr string
	}{
		"not there":          {core.ID{9}.String(), key, 1, "", "session not found"},
		"no ID":              {"", key, 2, "", "22 characters"},
		"two":                {id + " " + id, key, 2, "", "allowed: one"},
		"bad ID":             {"x", key, 2, "", `"x" is no session ID`},
		"other key":          {"--key-file " + other + " " + id, key, 1, "which is not in the ring", ""},
		"other key, JSON":    {"--json --key-file " + other + " " + id, nil, 1, `"opens":false,"refused":"session record is sealed under key`, ""},
		"changed":            {moved.ID.String(), key, 1, "changed in the store", ""},
		"values without key": {"--values " + id, nil, 2, "", "--key-file"},
		"bad key":            {id, []string{"SESSION_ENCRYPTION_KEY=5ec4e7"}, 2, "", "32 bytes"},
		"no key file":        {"--key-file none " + id, nil, 2, "", "key file"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call{args: append([]string{"show", "--store", url}, strings.Fields(c.args)...), env: c.env}.run(t)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stdout, c.stdout)
			require.Contains(t, stderr, c.stderr)
			require.NotContains(t, stdout+stderr, "5ec4e7")
		})
	}
}

// Whatever a store holds is shown or refused, and nothing panics.
func TestShowOddRecords(t *testing.T) {
	url := fileStore(t)
	for n, at := range []core.Time{math.MinInt64, math.MaxInt64, 0, -1} {
		r := record(uint32(n), "u", "")
		r.CreatedAt, r.SeenAt, r.ExpiresAt = at, at, at
		r.Sealed = r.Sealed[:n*10]
		fill(t, url, r)
		code, stdout, stderr := call{args: []string{"show", "--store", url, r.ID.String()}, env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
		require.Equal(t, 1, code, stderr)
		require.Contains(t, stdout, "refused")
	}
	code, stdout, stderr := on(t, url, "list", "--json")
	require.Zero(t, code, stderr)
	require.Len(t, objects(t, stdout), 4)
}
