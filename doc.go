// Package sessions is the root of a session library for Go web applications. It
// has no code of its own; begin with one of these:
//
//   - hosts/nethttp: middleware for net/http
//   - hosts: the manager and its verbs over any store, and what a store must do
//   - fsstore, cachestore: stores
//   - core: what decides everything, and the formats to the byte
//   - conformance: the tests that any store must pass
//   - cmd/sessionctl: the command, with a demo
//
// The README shows a first server; docs has the configuration, the security
// promises and the cookie.
package sessions
