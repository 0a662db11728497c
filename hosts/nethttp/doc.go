// Package nethttp gives the handlers of a net/http server their sessions.
//
//	host, err := nethttp.New(manager, nethttp.Options{})
//	mux.Handle("/", host.Handler(home))                // sessions for whoever asks
//	mux.Handle("/account", host.Require(account))      // signed-in visitors only
//
//	func home(w http.ResponseWriter, r *http.Request) {
//		s, err := nethttp.Session(r)
//		if err != nil {
//			http.Error(w, "please try again", http.StatusServiceUnavailable)
//			return
//		}
//		n, err := hosts.Get[int](s, "visits")
//		...
//	}
//
// A handler that never asks loads nothing and writes nothing. One that asks
// costs one load and at most one write, which is made before the first byte of
// the answer, whichever way that byte takes: so the answer brings the cookie,
// and never says that something was done which was not stored. Where storing
// fails, an error page replaces the answer.
//
// The work outlives a client that goes away. Logging out acts at once, also on
// requests in flight: what they change is refused, and their answer replaced.
//
// Middleware that recovers from panics, times handlers out or logs belongs
// around Host.Handler. Inside of it, what such a middleware answers counts as
// the handler's answer, and commits.
package nethttp
