package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheScriptIsSmall, never stale, and needs no exception of a policy. What it does is
// tested in a browser: conformance/peers/browser.
func TestTheScriptIsSmall(t *testing.T) {
	mw := open(t, setup{}).mw
	ask := func(method, url string, fields ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, url, nil)
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		w := httptest.NewRecorder()
		mw.ScriptHandler().ServeHTTP(w, r)
		return w
	}
	w := ask("GET", mw.ScriptURL("/timeout.js"))
	require.Equal(t, http.StatusOK, w.Code)
	require.LessOrEqual(t, w.Body.Len(), 2000)
	for _, no := range []string{"eval", "innerHTML", ".style", "import", "localStorage", "Function("} {
		require.NotContains(t, w.Body.String(), no)
	}
	require.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Empty(t, w.Header()["Set-Cookie"])
	for _, url := range []string{"/timeout.js", "/timeout.js?v=0123456789abcdef"} {
		require.Equal(t, "no-cache", ask("GET", url).Header().Get("Cache-Control"), "another version is not kept")
	}
	w = ask("GET", "/timeout.js", "If-None-Match", w.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, w.Code)
	require.Zero(t, w.Body.Len())
	w = ask("HEAD", "/timeout.js")
	require.Equal(t, http.StatusOK, w.Code)
	require.Zero(t, w.Body.Len())
	require.NotEmpty(t, w.Header().Get("Content-Length"))
	w = ask("POST", "/timeout.js")
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}
