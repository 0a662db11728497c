// Package sessions gives a web application server-side sessions: an encrypted
// cookie in the browser, the data in a store. Requests at the same time lose no
// change, and a logout is final.
//
//	var visits = sessions.Counter("visits")
//
//	func main() {
//		store, err := sqlite.Open(context.Background(), "sessions.db", sqlite.Options{})
//		...
//		app, err := sessions.New(store, sessions.Config{}) // its key is in SESSION_ENCRYPTION_KEY
//		...
//		http.Handle("GET /{$}", app.HandlerFunc(home))
//		http.Handle("GET /account", app.Require(account))
//	}
//
//	func home(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
//		n, err := visits.Add(s, 1) // requests at the same moment all count
//		...
//	}
//
// # Begin
//
// [New] makes the middleware of an application over a store. Choose a store:
// dbstore/sqlite and fsstore keep sessions in files, cachestore in memory,
// dbstore/postgres, dbstore/mysql and cachestore/redis on a server. The key comes
// from the environment ([KeyFromEnv]), or from a secret that the application has
// already ([KeyFromSecret]).
//
// [Middleware] wraps handlers: HandlerFunc for one that takes its session and may
// fail, Handler for any other, where [From] finds the session, Require for those
// that need somebody signed in. Adapters for gin, echo and fiber are in hosts.
//
// # The session
//
// [Session] signs in (Login), signs out (Destroy, SignOutEverywhere,
// SignOutOthers), and keeps values under names. [Counter] and [Value] declare such
// a value once, with its type.
//
// # More
//
// Sessions beside a request, such as those of a user in an admin page, are for
// [Manager]. Package sessionstest helps to test handlers. Package hosts has the
// contract of a store, conformance the tests that any store must pass.
package sessions
