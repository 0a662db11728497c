// Package migrate brings visitors over from another session library while they
// stay signed in.
//
//	source, err := scsmigrate.Source(old) // or gorilla's
//	mover, err := migrate.New(mw, migrate.Options{Source: source, Key: key, User: userOf})
//	http.ListenAndServe(addr, mover.Handler(mux)) // in place of mw.Handler
//
// A request that brings the old cookie and no session of ours gets one of ours,
// with the old user and values, and for the rest of the old lifetime. Handlers
// notice nothing: they ask for their session as ever. One that does not ask costs
// nothing, and nothing is moved for it.
//
// # Once
//
// An old cookie becomes one session, however many first requests there are, and on
// however many servers. The first request inserts a marker: a record without a
// user, under an ID that is an HMAC of the old token. Its states:
//
//	pending(n)  a session is being stored; n is a nonce
//	done(n)     that session is the one; its ID and secret are an HMAC of old token and n
//	closed      the old cookie is dead
//
// A request stores a session of a nonce of its own and then names it in the marker,
// by a save that names the version before. So exactly one session is named, and it is
// stored by then. A request that comes too late deletes its own session and goes on
// with the named one, whose cookie it can make, too: the old token and the nonce give
// the same secret. The same holds for a visitor whose first answer was
// lost. A request that dies on its way leaves a pending marker, and the next one
// goes on from there. One that dies in the middle of a race may leave a session that
// no cookie opens, which ends with its lifetime.
//
// A done marker without its session means that the session has ended. Neither a
// logout nor Manager.Revoke deletes a marker, and it lives until the old cookie
// has expired by itself. So a logout is for good, even if somebody replays the old cookie.
package migrate
