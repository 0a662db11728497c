// Package nethttp gives the handlers of a net/http server their sessions.
//
//	mw, err := nethttp.New(manager, nethttp.Options{})
//	mux.Handle("/", mw.Handler(home))                // sessions for handlers that ask
//	mux.Handle("/account", mw.Require(account))      // signed-in visitors only
//
//	func home(w http.ResponseWriter, r *http.Request) {
//		s, err := nethttp.From(r)
//		if err != nil {
//			status, text := nethttp.Failure(err)
//			http.Error(w, text, status)
//			return
//		}
//		n, err := s.Add("visits", 1)
//		...
//	}
//
// A handler that never asks for its session loads nothing and writes nothing. One that
// asks costs one load and at most one write. The write comes before the first byte of
// the answer, so the answer has the cookie, and never says that something was done
// which was not stored. If storing fails, an error page replaces the answer.
//
// If a value is read and then written, and another request has changed it in between,
// the request is refused with a 409: see [Session]. [Session.Add], [Session.Update] and
// [Session.Take] are for values that several requests change at once.
//
// The work is finished even if the client goes away. Logging out acts at once, also on
// requests in flight: what they change is refused, and their answer replaced.
//
// The handler must write its answer to the writer that Handler gives it. For frameworks
// whose handlers have a writer of their own there are adapters, in hosts/gin, hosts/echo
// and hosts/fiber. Or wrap the whole framework,
//
//	http.ListenAndServe(addr, mw.Handler(engine)) // gin, echo and others
//
// or use a function of the framework that passes the writer on, as
// echo.WrapMiddleware(mw.Handler) and chi's r.Use(mw.Handler) do. A gin middleware that
// calls c.Next in a handler of its own drops the writer: gin's handlers answer past it,
// without the cookie. Such a request stores nothing and fails with ErrBypassed: it is
// answered 500 if HTTP/1 still has the whole answer in its buffers, otherwise the answer
// is cut off. A request that only read its session is served. Both are logged, at most
// once a minute. Writers are recognised by net/http's own and by what leads to them: an
// Unwrap method, a field; or by a method Written() bool.
//
// When the handler has returned or panicked, the changes that it made to its request,
// except the context, are in the original request, too: net/http removes the files of
// uploads, and middlewares outside see Pattern and path values. A goroutine that
// outlives the handler must not write to its request.
//
// Middleware that recovers from panics or logs belongs around Middleware.Handler.
// One that times handlers out, such as http.TimeoutHandler, belongs inside, around
// single handlers. An answer of a middleware inside counts as the handler's answer, and
// commits.
package nethttp
