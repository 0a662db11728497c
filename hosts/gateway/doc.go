// Package gateway is the edge in Go: a reverse proxy that knows who is signed in
// before the origin is asked. It opens the cookie, loads the session, and
// forwards the requests of signed-in visitors with three header fields, which
// nobody outside can set:
//
//	Session-User: alice
//	Session-Tenant: acme          absent without a tenant
//	Session-Id: wRJvQd3o...       22 characters; public, fit for logs
//
// User and tenant are percent-encoded where they are not plain ASCII: every byte
// outside of 0x21 to 0x7e, and the percent sign itself.
//
// Which paths need a signed-in user is said by [Rule]s: the longest prefix
// counts. A path that origin and gateway might read differently, such as one
// with //, /../, an encoded slash or a backslash, is refused with 400, whatever
// the rules: a rule must not be passed by spelling a path in another way.
//
// Nobody without a session reaches a path that needs one: he gets 401, or, where
// a browser asks for a page and a login page is configured, a redirect to it. If
// the store does not answer the answer is 503, if the origin does not it is 502;
// neither is taken for signed out.
//
// Bodies are streamed both ways, Server-Sent Events and WebSockets among them. A
// gateway and an origin with the same store and keys share their sessions: who
// signs out at the origin is out at the gateway with his next request.
package gateway
