// Package echosessions gives the handlers of echo 5 their sessions.
//
//	e.Use(middleware.Recover(), echosessions.New(mw))   // mw is of nethttp.New
//	account := e.Group("/account", echosessions.Require(mw))
//
//	func cart(c *echo.Context) error {
//		s, err := echosessions.From(c)
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// All that package hosts/nethttp says holds: a session is loaded when it is first
// asked for, and what changed is stored before the first byte of the answer, or an
// error page replaces the answer.
//
// echo calls its HTTPErrorHandler when all middlewares have returned, which is too
// late for a session. So New calls it for the errors of what is inside of it: a
// flash message that the error handler puts arrives. Middlewares outside see the
// answer and its status, and no error. An error of a session that a handler returns
// has the status and the text that nethttp.Failure gives.
//
// Middlewares that write, such as gzip, may stand on either side. Recover belongs
// outside, before New: what it answers inside counts as the handler's answer, and
// what the handler did until then is stored.
package echosessions
