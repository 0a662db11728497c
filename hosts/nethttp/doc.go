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
// The session is loaded when a handler first asks for it; one that never asks
// costs no store call. What it did is stored before the first byte of the answer
// and the cookie is sent with the header, so neither can be forgotten. What
// cannot be stored is answered with an error page in place of the handler's
// answer. [Visit.Destroy] alone acts at once.
package nethttp
