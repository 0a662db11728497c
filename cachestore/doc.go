// Package cachestore keeps sessions in the memory of this process: the fastest
// backend, and the one that needs nothing.
//
// Promised: every Save is atomic and names the version it replaces, so no
// update is lost and no ended session comes back; the memory is bounded by
// Options.MaxBytes and shown by Stats, and no user can fill it alone; no live
// session is ever dropped to make room for another, and those that are there can
// be changed and ended when new ones are refused; a million sessions cost the
// garbage collector a few milliseconds a cycle, because a session of up to two
// kilobytes holds no pointer; a user's session costs the same to list and to end
// among many of theirs as among few.
//
// Not promised: the sessions are gone when the process ends, and no other
// process sees them. Nothing runs in the background: the program that opens the
// store calls Sweep from time to time (hosts.Manager does).
package cachestore
