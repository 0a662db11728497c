package nethttp

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed timeout.js
var timeoutScript []byte

var timeoutHash = func() string {
	sum := sha256.Sum256(timeoutScript)
	return hex.EncodeToString(sum[:8])
}()

// ScriptHandler serves the script that warns before the session ends, in all tabs of
// the browser, and extends it by a click: see docs/timeouts.md for its attributes. It
// needs a [Middleware.StatusHandler], and of a Content-Security-Policy script-src and
// connect-src 'self'. Under the URL that ScriptURL returns browsers keep it for a year;
// else they ask each time whether it has changed.
func (h *Middleware) ScriptHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !reads(r) {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
			return
		}
		caching := "no-cache"
		if r.URL.RawQuery == "v="+timeoutHash {
			caching = "public, max-age=31536000, immutable"
		}
		header := w.Header()
		header.Set("Cache-Control", caching)
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		header.Set("ETag", `"`+timeoutHash+`"`)
		header.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(timeoutScript))
	})
}

// ScriptURL returns the URL for the src of a script element, for a ScriptHandler that is
// mounted at path. It changes whenever the script does.
func (h *Middleware) ScriptURL(path string) string { return path + "?v=" + timeoutHash }
