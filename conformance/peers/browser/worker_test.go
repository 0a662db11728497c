package browser

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/vectors"
)

const jsPackage = "../../../hosts/js"

// serve serves the JavaScript package, and an empty page in /app/ with the files
// beside it. /app/cookie sets a cookie and tells which were sent.
func serve(t *testing.T, files map[string][]byte) (page string) {
	t.Helper()
	app := fstest.MapFS{"app/index.html": {Data: []byte("<!doctype html><title>a page</title>")}}
	for name, data := range files {
		app["app/"+name] = &fstest.MapFile{Data: data}
	}
	mux := http.NewServeMux()
	mux.Handle("/app/", http.FileServerFS(app))
	mux.Handle("/rockstar-sessions/", http.StripPrefix("/rockstar-sessions/", http.FileServer(http.Dir(jsPackage))))
	mux.HandleFunc("/app/cookie", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "visitor", Value: "1"})
		_, _ = w.Write([]byte(r.Header.Get("Cookie")))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/app/"
}

// register opens a page and puts it under the service worker beside it.
func (b *browser) register(page string) {
	b.t.Helper()
	b.open(page)
	evaluate[chromedp.Void](b, `navigator.serviceWorker.register("worker.js", { type: "module" }).then(() => navigator.serviceWorker.ready)`)
	b.open(page) // a worker serves the pages that are opened after it
	require.True(b.t, evaluate[bool](b, `navigator.serviceWorker.controller !== null`))
}

// evaluate returns what the page's script comes to in the end.
func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, script)
	return result
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func toJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// The core in a service worker answers every scenario as it does elsewhere.
func TestServiceWorkerVectors(t *testing.T) {
	list, err := vectors.All()
	require.NoError(t, err)
	texts := map[string]string{}
	for _, s := range list {
		text, err := fs.ReadFile(vectors.FS(), s.Name+".txt")
		require.NoError(t, err)
		texts[s.Name] = string(text)
	}
	damaged := maps.Clone(texts)
	first, last := list[0].Name, list[len(list)-1].Name
	damaged[first] = strings.Replace(damaged[first], "reply: ", "reply: ff", 1)
	damaged[last] = "more: 1\n" + damaged[last]

	page := serve(t, map[string][]byte{
		"worker.js":    file(t, "testdata/vectors.js"),
		"judge.mjs":    file(t, "../../vectors/judge.mjs"),
		"all.json":     toJSON(t, texts),
		"damaged.json": toJSON(t, damaged),
	})
	b := visitor(t)
	b.register(page)
	type verdict struct {
		Ran    int
		Differ []string
	}
	seen := evaluate[verdict](b, `fetch("judged?all.json").then((r) => r.json())`)
	require.Empty(t, seen.Differ, strings.Join(seen.Differ, "\n"))
	require.Equal(t, len(list), seen.Ran)
	t.Logf("%d scenarios in a service worker", seen.Ran)

	seen = evaluate[verdict](b, `fetch("judged?damaged.json").then((r) => r.json())`)
	require.Len(t, seen.Differ, 2, "what is damaged is seen")
	text := strings.Join(seen.Differ, "\n")
	require.Contains(t, text, first+": ")
	require.Contains(t, text, last+": ")
}

// The worker in the package's README, as it stands there.
func TestServiceWorkerSession(t *testing.T) {
	readme := string(file(t, jsPackage+"/README.md"))
	_, section, _ := strings.Cut(readme, "## A service worker\n")
	_, rest, ok := strings.Cut(section, "```js\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(rest, "```")
	require.Contains(t, example, "/rockstar-sessions/service-worker.js")

	page := serve(t, map[string][]byte{"worker.js": []byte(example)})
	b := visitor(t)
	b.register(page)
	type answer struct{ User, Token string }
	hello := func(method, token, user string) answer {
		init := map[string]any{"method": method, "headers": map[string]string{"session-token": token}}
		if user != "" {
			init["body"] = user
		}
		return evaluate[answer](b, `fetch("hello", `+string(toJSON(t, init))+`)
			.then(async (r) => ({ user: await r.text(), token: r.headers.get("session-token") }))`)
	}
	require.Equal(t, answer{"nobody", ""}, hello("GET", "", ""), "of one who only looks nothing is kept")
	in := hello("POST", "", "alice")
	require.Equal(t, "alice", in.User)
	require.NotEmpty(t, in.Token)
	require.NotContains(t, in.Token, "alice")
	require.Equal(t, answer{"alice", ""}, hello("GET", in.Token, ""), "read back; reading makes no new token")
	require.Equal(t, "nobody", hello("GET", in.Token[:len(in.Token)-4]+"AAAA", "").User, "a forged token")
	require.Equal(t, "nobody", hello("DELETE", in.Token, "").User)
	require.Equal(t, "nobody", hello("GET", in.Token, "").User, "signed out is out for good")
}

// Browsers keep cookies from service workers, both ways: withSession stores a
// login whose cookie the visitor never gets.
func TestServiceWorkerCookies(t *testing.T) {
	page := serve(t, map[string][]byte{"worker.js": file(t, "testdata/cookies.js")})
	b := visitor(t)
	b.register(page)
	sent := `fetch("cookie").then((r) => r.text())`
	require.Empty(t, evaluate[string](b, sent))
	require.Equal(t, "visitor=1", evaluate[string](b, sent), "a server sets a cookie and sees it")

	type answer struct {
		Cookie *string  // the field that the worker sees
		Was    string   // the user before
		Events []string // of the session
		Sets   []string // Set-Cookie fields of the worker's response
	}
	for range 2 {
		seen := evaluate[answer](b, `fetch("login").then((r) => r.json())`)
		require.Equal(t, answer{Was: "", Events: []string{"created", "login"}, Sets: []string{}}, seen)
	}
	require.Nil(t, b.cookie(plainName))
}
