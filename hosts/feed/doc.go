// Package feed reports what has changed in a store of sessions, so that a cache
// may answer reads without asking the store, and a program hears that a session
// has ended.
//
// A [Source] is a store that can report changes. A [Poller] asks it, one question
// at a time, and passes the answers on. What a poller was answered is fresh for
// one [Lease]; a logout waits for [Wait], so that nobody who relies on an answer
// of before believes that the session lives.
//
// The rule and why it holds, in four steps:
//
//  1. A complete answer has every change that was acknowledged before its question
//     was sent. It is applied to the cache first; only then the moment at which the
//     question was sent becomes the poller's Through.
//  2. A load or save that is on its way while an answer for its ID is applied is
//     not cached: it may have seen the state of before.
//  3. So whatever is cached reflects every change that was acknowledged before
//     Through. It is believed while less than one Lease has passed since then.
//  4. A logout is acknowledged when the store has done it and then Wait has passed.
//     A cache that is still believed then has a Through after the logout, and knows of it.
//
// Lease is a constant: it is one number that all processes must share.
package feed
