package nethttp

import (
	"net/http"
	"strings"
)

// QuietField is the header field by which a page says that a request of its scripts is no
// use of the session: "Session-Quiet: 1". See Quiet.
const QuietField = "Session-Quiet"

// Quiet is for routes that no person asks for: polls, feeds, background syncs. Their
// requests note no use of the session, so that it idles out behind an open page. They
// renew nothing and set no cookie; a value that they change is stored. A handler that logs
// in, renews or refreshes makes its request a use all the same. Quiet brings its own
// Handler where there is none.
//
// Single requests are quiet without it: those with the field [QuietField], and prefetches
// and prerenders by a browser (Sec-Purpose). A visitor who sends the field can only
// shorten their own session by it.
func (h *Middleware) Quiet(next http.Handler) http.Handler {
	return h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requestOf(r.Context(), h.manager).quieten()
		next.ServeHTTP(w, r)
	}))
}

// quieten makes a request quiet, whether or not its session was asked for already.
func (rq *request) quieten() {
	v := rq.session()
	rq.mu.Lock()
	defer rq.mu.Unlock()
	v.x.Quiet = true
}

// saysQuiet finds requests that are no person's by what they say of themselves.
func saysQuiet(r *http.Request) bool {
	return first(r.Header[QuietField]) == "1" || prefetches(r)
}

// prefetches finds pages that are fetched before anybody wants them. Fetch, section
// 3.7: a structured token with parameters, such as "prefetch;prerender". "Purpose" is
// what browsers sent before.
func prefetches(r *http.Request) bool {
	purpose, _, _ := strings.Cut(first(r.Header["Sec-Purpose"]), ";")
	return strings.TrimSpace(purpose) == "prefetch" || first(r.Header["Purpose"]) == "prefetch"
}
