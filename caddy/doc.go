// Package caddy lets Caddy know who is signed in. It is linked into a Caddy by a
// blank import and used in a Caddyfile:
//
//	sessions /account/* {
//		store {env.SESSION_STORE}
//		login /login
//	}
//
// The key comes from SESSION_ENCRYPTION_KEY or SESSION_ENCRYPTION_KEYS, as that of
// the application behind Caddy does. Both share the store: a user who signs out there
// is signed out here with the next request. Caddy sets no cookie and changes no session.
//
// A request with a signed-in user goes on with the placeholders
// {http.auth.user.id}, {http.auth.user.tenant} and {http.auth.user.session_id}, and
// with the header fields of package gateway: Session-User, Session-Tenant and
// Session-Id. What the client says of itself in these, or in fields that other
// servers take for a user, is removed. A visitor without a session gets 401, or a
// redirect to the login path. Where the store does not answer, the answer is 503.
//
// The module http.handlers.sessions does all of that. The authentication provider
// http.authentication.providers.sessions is for configs that combine several
// providers; Caddy answers 401 for it, also where the store does not answer, and
// header fields of the client are left as they are.
package caddy
