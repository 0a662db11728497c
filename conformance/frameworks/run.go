package frameworks

import "testing"

// Run holds a framework to the table, each promise with an application of its own.
func Run(t *testing.T, f Framework) {
	for _, p := range table {
		t.Run(p.promise, func(t *testing.T) { p.check(newScene(t, f)) })
	}
}

var table = []struct {
	promise string
	check   func(s *scene)
}{
	{"a login gives a cookie and a user, a logout takes both", (*scene).login},
	{"a read sets no cookie", (*scene).reads},
	{"who asks for no session costs no call of the store", (*scene).lazy},
	{"the session is stored before the first byte", (*scene).firstByte},
	{"a store that cannot save replaces the answer", (*scene).cannotSave},
	{"a store that cannot load is 503", (*scene).cannotLoad},
	{"a redirect carries a flash message", (*scene).redirect},
	{"a group with Require lets only users in", (*scene).group},
	{"a browser is sent to the login page", (*scene).loginPage},
	{"the devices page works where the framework mounts it", (*scene).devices},
	{"a group with RequireFresh wants a proof from a moment ago", (*scene).fresh},
	{"a group with RequireMethods wants a proof by them", (*scene).methods},
	{"the development mode serves loopback alone", (*scene).development},
	{"the router's 404 is its own", (*scene).notFound},
	{"a layer that ends the request keeps what it stored", (*scene).abort},
	{"layers run in their order, and only those inside have a session", (*scene).order},
	{"the error handler's flash message arrives", (*scene).errorHandler},
	{"an error of the session has its status", (*scene).failures},
	{"a fault of the program is logged and not shown", (*scene).faults},
	{"an error stores nothing but what its handler changes", (*scene).discards},
	{"a panic that is recovered outside stores nothing", (*scene).panicOutside},
	{"a panic that is recovered inside is an answer or an error", (*scene).panicInside},
	{"server-sent events leave at once, behind the cookie", (*scene).events},
	{"a WebSocket has its visitor", (*scene).webSocket},
	{"a handler whose time is up harms nobody", (*scene).timeout},
	{"gzip may stand outside", func(s *scene) { s.gzip(App{Times: 1, Outside: []Layer{{Kind: Gzip}}}) }},
	{"gzip may stand inside", func(s *scene) { s.gzip(App{Times: 1, Inside: []Layer{{Kind: Gzip}}}) }},
	{"50 additions at once count 50", (*scene).additions},
	{"a logout ends a slow request", (*scene).slow},
	{"the request's context has the session", (*scene).context},
	{"without the middleware the error names it", (*scene).missing},
	{"the middleware twice is once", (*scene).twice},
	{"requests that are no person's are no use", (*scene).quiet},
	{"the status shows what is left, and a click extends it", (*scene).status},
	{"the script is the library's", (*scene).script},
}
