package demo_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/stretchr/testify/require"
)

func TestAPIScript(t *testing.T) {
	long := strings.Repeat("x", 70<<10)
	stores(t, func(t *testing.T, store string) {
		r := start(t, demo.Options{Store: store})
		who := map[string]*visitor{"first": r.visitor(), "second": r.visitor(), "nobody": r.visitor()}
		for i, step := range []struct {
			who, method, path, body string
			status                  int
			part                    string
		}{
			{"nobody", "GET", "/healthz", "", 200, `"ok"`},
			{"nobody", "GET", "/api/session", "", 401, `{"error":"Authentication required","reason":"none"}`},
			{"nobody", "PUT", "/api/data/n", "1", 401, `"reason":"none"`},
			{"nobody", "DELETE", "/api/data/n", "", 401, `"reason":"none"`},
			{"nobody", "POST", "/api/refresh", "", 401, `"reason":"none"`},
			{"nobody", "POST", "/api/slow?ms=0&set=n", "", 401, `"reason":"none"`},
			{"nobody", "POST", "/api/logout", "", 200, "Logged out"},
			{"nobody", "POST", "/api/login", `{"user":"alice","password":"builder"}`, 401, `{"error":"Invalid credentials","reason":"bad_credentials"}`},
			{"nobody", "POST", "/api/login", `{"user":"carol","password":""}`, 401, "bad_credentials"},
			{"nobody", "POST", "/api/login", `{"user":`, 400, "bad_json"},
			{"nobody", "POST", "/api/login", `{"user":1}`, 400, "bad_json"},
			{"nobody", "POST", "/api/login", `"` + long + long + `"`, 413, "too_large"},
			{"nobody", "GET", "/api/login", "", 405, "Allowed here: POST"},
			{"nobody", "GET", "/api/nothing", "", 404, "not_found"},
			{"first", "POST", "/api/login", `{"user":"alice","password":"wonderland"}`, 200, `"user":"alice"`},
			{"first", "GET", "/api/session", "", 200, `"roles":["customer","admin"]`},
			{"first", "PUT", "/api/data/n", "1", 200, "saved"},
			{"first", "PUT", "/api/data/n", "1 2", 400, "bad_json"},
			{"first", "PUT", "/api/data/n", "", 400, "bad_json"},
			{"first", "PUT", "/api/data/n", "\"\xff\"", 400, "bad_json"},
			{"first", "PUT", "/api/data/n", `"` + long + `"`, 413, "SessionSize"},
			{"first", "PUT", "/api/data/n", `"` + long + long + `"`, 413, "too_large"},
			{"first", "PUT", "/api/data/n", strings.Repeat("[", 20) + strings.Repeat("]", 20), 400, "bad_value"},
			{"first", "PUT", "/api/data/" + strings.Repeat("n", 129), "1", 400, "bad_value"},
			{"first", "PUT", "/api/data/", "1", 404, "not_found"},
			{"first", "GET", "/api/data/n", "", 405, "DELETE"},
			{"first", "GET", "/api/slow?ms=0&set=n", "", 405, "Allowed here: POST"},
			{"first", "POST", "/api/slow?ms=no", "", 400, "ms must be"},
			{"first", "POST", "/api/slow?ms=30001", "", 400, "ms must be"},
			{"first", "POST", "/api/slow?ms=1&set=slow", "", 200, `"waited_ms":1`},
			{"first", "GET", "/api/session", "", 200, `"n":1,"remember":false`},
			{"first", "GET", "/api/session", "", 200, `"slow":1`},
			{"first", "POST", "/api/add/n", "", 200, `"sum":2`},
			{"first", "POST", "/api/add/n?n=-5", "", 200, `"sum":-3`},
			{"first", "POST", "/api/add/n?n=1.5", "", 400, "n must be"},
			{"first", "POST", "/api/add/roles", "", 409, "cannot be added to"},
			{"first", "POST", "/api/take/slow", "", 200, `"value":1`},
			{"first", "POST", "/api/take/slow", "", 404, "not_found"},
			{"first", "POST", "/api/take/" + strings.Repeat("n", 129), "", 404, "not_found"},
			{"first", "DELETE", "/api/data/n", "", 200, "deleted"},
			{"first", "DELETE", "/api/data/n", "", 200, "deleted"},
			{"first", "POST", "/api/refresh", "", 200, "refreshed"},
			{"second", "POST", "/api/login", `{"user":"bob","password":"builder"}`, 200, `"user":"bob"`},
			{"second", "GET", "/api/session", "", 200, `"user":"bob"`},
			{"first", "POST", "/api/logout", "", 200, "Logged out"},
			{"first", "POST", "/api/logout", "", 200, "Logged out"},
			{"first", "GET", "/api/session", "", 401, `"reason":"none"`},
			{"second", "GET", "/api/session", "", 200, `"user":"bob"`},
		} {
			t.Run(fmt.Sprintf("%d %s %s %.20s", i, step.who, step.method, step.path), func(t *testing.T) {
				who[step.who].api(t, step.method, step.path, step.body, step.status, step.part)
			})
		}
		require.Empty(t, who["nobody"].cookies(t), "nothing of this makes a session")
		require.Empty(t, who["first"].cookies(t), "logout clears the cookie")
	})
}

func TestOldCookieIsWorthless(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:"})
	v := r.visitor()
	v.login(t, "alice")
	before := v.cookies(t)[0]
	id := v.api(t, "GET", "/api/session", "", 200, "")["id"]
	v.login(t, "alice")
	after := v.api(t, "GET", "/api/session", "", 200, "")
	require.Equal(t, id, after["id"], "the ID stays")
	require.NotEqual(t, before.Value, v.cookies(t)[0].Value, "the secret does not")

	thief := r.visitor()
	thief.header.Set("Cookie", before.Name+"="+before.Value)
	thief.api(t, "GET", "/api/session", "", 401, `{"error":"Session expired","reason":"superseded"}`)

	v.api(t, "POST", "/api/logout", "", 200, "")
	thief.header.Set("Cookie", before.Name+"="+before.Value)
	thief.api(t, "GET", "/api/session", "", 401, `"reason":"unknown_session"`)
}

func TestValuesStayExact(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		v := start(t, demo.Options{Store: store}).visitor()
		v.login(t, "alice")
		for text, want := range map[string]struct{ shown, kind string }{
			`0`:                    {`0`, "int"},
			`-1`:                   {`-1`, "int"},
			`9007199254740993`:     {`9007199254740993`, "int"},
			`9223372036854775807`:  {`9223372036854775807`, "int"},
			`-9223372036854775808`: {`-9223372036854775808`, "int"},
			`9223372036854775808`:  {`9223372036854775808`, "uint64"},
			`18446744073709551615`: {`18446744073709551615`, "uint64"},
			`1.5`:                  {`1.5`, "float64"},
			`1e3`:                  {`1000`, "float64"},
			`"é\u0000"`:            {`"é\u0000"`, "string"},
			`true`:                 {`true`, "bool"},
			`null`:                 {`null`, "<nil>"},
			`[]`:                   {`[]`, "[]any"},
			`[1,[2.5,"x"]]`:        {`[1,[2.5,"x"]]`, "[]any"},
			`{"b":{"a":18446744073709551615},"a":[null]}`: {`{"a":[null],"b":{"a":18446744073709551615}}`, "map[string]any"},
		} {
			v.api(t, "PUT", "/api/data/v", text, 200, "saved")
			got := v.api(t, "GET", "/api/session", "", 200, "")
			shown, err := json.Marshal(got["data"].(map[string]any)["v"])
			require.NoError(t, err)
			require.Equal(t, want.shown, string(shown), text)
			require.Equal(t, want.kind, got["types"].(map[string]any)["v"], text)
		}
		for _, text := range []string{`18446744073709551616`, `-9223372036854775809`, `[1e999]`, `{"a":[99999999999999999999]}`} {
			v.api(t, "PUT", "/api/data/v", text, 400, "outside of int64, uint64 and float64")
		}
	})
}

func TestSessionTellsOfItself(t *testing.T) {
	v := start(t, demo.Options{Store: "memory:"}).visitor()
	v.header.Set("User-Agent", "script/1")
	v.login(t, "bob")
	got := v.api(t, "GET", "/api/session", "", 200, "")
	require.Len(t, got["id"], 22)
	require.Equal(t, "127.0.0.1", got["ip_address"])
	require.Equal(t, "script/1", got["user_agent"])
	require.Equal(t, json.Number("141"), got["cookie_size"])
	require.Len(t, v.cookies(t)[0].String(), 141)
	size, err := got["data_size"].(json.Number).Int64()
	require.NoError(t, err)
	require.Greater(t, size, int64(50))
	for _, name := range []string{"created_at", "login_at", "last_seen_at", "expires_at", "idle_expires_at"} {
		require.Regexp(t, `^20\d\d-.*Z$`, got[name], name)
	}
	require.Equal(t, map[string]any{"user_id": "int", "roles": "[]string", "login_time": "time.Time", "remember": "bool"}, got["types"])
}
