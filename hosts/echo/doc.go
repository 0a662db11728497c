// Package echosessions gives the handlers of echo 5 their sessions.
//
//	app, err := sessions.New(store, sessions.Config{})
//	e.Use(middleware.Recover(), echosessions.New(app))
//	account := e.Group("/account", echosessions.Require(app))
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
// answer and its status, and no error.
//
// An error of a session that a handler returns has the status and the text that
// nethttp.Failure gives; where it is a fault of the program it is logged, and the
// visitor sees nothing of it. Other errors are the application's. All discard what
// the request has changed until then, unless it is nethttp.ErrNotSignedIn.
//
// Middlewares that write, such as gzip, may stand on either side. Recover belongs
// outside, before New: inside it makes of a panic an error that a handler returns.
package echosessions
