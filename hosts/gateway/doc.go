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
// Fields of these names from outside are dropped on every path, in any spelling
// that an origin may take for them, such as Session_User and Session.User. So are
// fields by which an origin may read another path, host or user than was judged,
// such as X-Original-URL, X-Forwarded-Prefix and Remote-User.
//
// Which paths need a signed-in user is said by [Rule]s: the longest prefix
// counts. A path that origin and gateway might read differently, such as one
// with //, /../, an encoded slash, a backslash or bytes that are no UTF-8, is
// refused with 400, whatever the rules: a rule must not be passed by spelling a
// path in another way. Parameters are in use, so that "/admin;x" is not refused:
// with and without them, the stricter rule counts.
//
// Nobody without a session reaches a path that needs one: they get 401, or, where
// a browser asks for a page and a login page is configured, a redirect to it. If
// the store does not answer the answer is 503, if the origin does not it is 502;
// neither is taken for signed out.
//
// Bodies are streamed both ways, Server-Sent Events and WebSockets among them;
// no other protocol is switched to. A gateway and an origin with the same store
// and keys share their sessions: a user who signs out at the origin is
// signed out at the gateway with the next request. Cookies are set and renewed by the origin alone.
//
// The manager's IdleTimeout should be the origin's: then use through the gateway
// counts, also on paths where the origin does not ask for the session. With none,
// or a longer one, the gateway notes no use: it never lets a session live for
// longer than the origin does. RenewGrace should be the origin's, too: a cookie
// that is shown for longer after its renewal is taken for stolen.
//
// With a [Check] a Gateway forwards nothing: it answers a proxy that asks about the
// requests that it holds.
package gateway
