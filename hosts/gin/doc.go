// Package ginsessions gives the handlers of gin their sessions.
//
//	app, err := sessions.New(store, sessions.Config{})
//	router := gin.Default()           // recovery and logging stand outside
//	router.Use(ginsessions.New(app))
//	account := router.Group("/account", ginsessions.Require(app))
//
//	func cart(c *gin.Context) {
//		s, err := ginsessions.From(c)
//		...
//	}
//
// All that package hosts/nethttp says holds: a session is loaded when it is first
// asked for, and what changed is stored before the first byte of the answer, or an
// error page replaces the answer. For the rest of the request c.Writer is a
// writer that does so, and c.Request has the session in its context, so that
// nethttp.From(c.Request) finds it, too.
//
// A handler that fails calls Abort, which discards what the request has changed. An
// error handler of your own, which reads c.Errors, calls Session.Discard for that.
//
// Middlewares that write, such as gzip, may stand on either side. One that
// recovers from panics belongs outside, before New: what it answers inside counts
// as the handler's answer, and what the handler did until then is stored. A copy of
// the context, c.Copy(), has the session; what it changes after the handler has
// returned is nethttp.ErrCommitted.
package ginsessions
