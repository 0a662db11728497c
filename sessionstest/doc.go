// Package sessionstest helps to test handlers that have sessions. A handler as
// alice takes three lines:
//
//	app := sessionstest.New(t)
//	w := app.As("alice").With("cart", []string{"tea"}).Get(account, "/account")
//	// w is a *httptest.ResponseRecorder
//
// [New] keeps the sessions in memory, under a key that is drawn for this test.
// [Setup] has a config, options and a store of the application's own, and
// [Prepare] is for an application that makes its manager by itself.
//
// A [Visitor] is one browser: it keeps its cookies from request to request, and
// asks a handler directly or, as a [Visitor.Client], a real server. App.Clock moves
// the time of the sessions, App.Events returns what happened to them, and App.Session
// shows what the store has of a user.
//
// What goes wrong with the sessions of the test itself, such as a value that
// cannot be kept, fails the test with the reason.
package sessionstest
