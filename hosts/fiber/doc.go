// Package fibersessions gives the handlers of fiber 3 their sessions.
//
//	app, err := sessions.New(store, sessions.Config{})
//	router := fiber.New()
//	router.Use(recover.New(), fibersessions.New(app))
//	account := router.Group("/account", fibersessions.Require(app))
//
//	func cart(c fiber.Ctx) error {
//		s, err := fibersessions.From(c)
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// All that package hosts/nethttp says holds, with its Session and its Options, whose
// functions get an http.Request without a body: a session is loaded when it is first
// asked for, and what changed is stored when the handlers have returned, before
// fiber sends anything of the answer; or an error page replaces the answer. All that
// is kept of a request is copied out of the memory that fasthttp uses again.
//
// fiber calls its ErrorHandler when all middlewares have returned, which is too late
// for a session. So New calls it for the errors of what is inside of it: a flash
// message that the error handler puts arrives. Middlewares outside see the answer
// and its status, and no error.
//
// An error of a session that a handler returns has the status and the text that
// nethttp.Failure gives; where it is a fault of the program it is logged, and the
// visitor sees nothing of it. Other errors are the application's. All discard what
// the request has changed until then, unless it is nethttp.ErrNotSignedIn.
//
// # Streams and WebSockets
//
// The function of SendStreamWriter (server-sent events), and that of a WebSocket,
// run while or after the answer is sent. Take the session before, by From: they may
// read it, and Destroy it. What they change is nethttp.ErrCommitted, unless it is
// done before the handler returns; Manager.Update and the manager's other methods, by
// the session's ID, store at once and at any time. The answer that upgrades to a
// WebSocket can bring a cookie.
//
// # Context
//
// Pass c.Context() to the manager's methods, not c: fiber keeps values of its own in c.
//
// # Timeouts
//
// fiber's timeout middleware answers while the handler goes on. Around a handler,
// inside of New, what the handler did until then is stored, and what it does later is
// nethttp.ErrCommitted. Around New its answer and what the handlers still do to theirs
// meet in one response: that is so in fiber with any handler.
package fibersessions
