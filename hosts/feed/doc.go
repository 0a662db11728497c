// Package feed reports what has changed in a store of sessions, so that a cache
// may answer reads without asking the store, and a program is notified when a
// session has ended.
//
// A [Source] is a store that can report changes. A [Poller] asks it, one question
// at a time, and passes the answers on. An answer is trusted for one [Lease]. A
// logout waits for [Wait], so that no cache which trusts an earlier answer still
// shows the session.
//
// The rule, and why it holds:
//
//  1. A complete answer has every change that was acknowledged before its question
//     was sent. It is applied to the cache first. Only then the time at which the
//     question was sent becomes the poller's Through.
//  2. If a load or save is running while an answer for its ID is applied, its result
//     is not cached: it may have seen the earlier state.
//  3. So every cached record reflects every change that was acknowledged before
//     Through. It is trusted while less than one Lease has passed since then.
//  4. A logout is acknowledged when the store has done it and Wait has passed. A cache
//     that is still trusted then has a Through after the logout, and so has its change.
//
// Lease is a constant, because all processes must use the same.
package feed
