// Package sqlite keeps sessions in an SQLite database file, for any number of
// processes on one machine at once. It is in Go throughout and needs no cgo.
//
// # Promises
//
// Saves go through one connection, those that wait for it together in one
// transaction (up to 256), and each compares versions in the statement that
// writes: no update is lost and no ended session is written back. By default an
// acknowledged Save is on the disk and survives a power failure. With
// [Options].Fast it survives the end of the process, kill -9 too; a power
// failure may undo what neither the operating system nor a checkpoint had put on
// the disk. Delete is durable in either case: it syncs the log itself.
//
// Loads have 2 to 4 connections of their own and wait for no writer. A call that
// waits for another process returns when its context ends, having changed
// nothing, or with [hosts.ErrBusy] after Options.BusyTimeout. A save that is in a
// batch when its context ends may still be applied; the error wraps
// [hosts.ErrUnknown].
//
// When the disk is full the error of a save wraps [hosts.ErrFull], and the session
// that was stored stays as it was; saves go on in the room that ended sessions
// leave. Every session can still be ended and swept: a file of 24 MiB keeps room
// for that, is given up when there is no other, and is made again when there is. A
// disk that had no room for it when the store was first opened has none. An
// unreadable, damaged, foreign or read-only file, and one that
// was removed or replaced while in use (noticed within 100 ms), are
// [hosts.ErrUnavailable]. Errors name the path and the remedy.
//
// # Files
//
//	sessions.db          mode 0600 when it is made, in a directory 0700
//	sessions.db-wal      the log of what was written, same mode as the database
//	sessions.db-shm      the index of the log, same mode as the database
//	sessions.db-reserve  room for logouts on a full disk, without content
//
// What root makes is given to the owner of the directory, so that a command in a
// root shell locks out no server. Root follows no link that is not root's, and a
// directory that everybody may write is refused.
//
// The first three belong together; the last process that closes the store removes
// the log and its index. For a backup of a file in use let SQLite copy it ("VACUUM INTO",
// or its .backup), or copy all three while no program runs. The file does not
// shrink by itself: what sessions leave is used again; "VACUUM" shrinks it.
//
// Not on a network filesystem: its locks and the index of the log do not hold
// between machines. Several machines need a database server or Redis.
//
// # Schema
//
//	id             BLOB     16 bytes, unique
//	version        INTEGER  63 random bits
//	tenant_id      TEXT
//	user_id        TEXT     empty while nobody is signed in
//	created_at     INTEGER  Unix milliseconds, as the next two
//	seen_at        INTEGER
//	expires_at     INTEGER
//	expiry_hour    INTEGER  never above expires_at in hours; the sweep goes by it
//	data           BLOB     sealed
//	touch_version  INTEGER  the version, if what was saved last only notes a use
//
// Version 1 of the schema kept rows in the order of their IDs. Open moves them to
// version 2 in one transaction: reads go on, saves of other processes wait, and a
// process that is killed meanwhile has changed nothing. A million sessions take some
// seven seconds, and room for a second copy, which is used again.
// Processes of the release before go on with what they have open, and cannot
// open the file anew.
//
// Any program may read it, such as the sqlite3 command: who is signed in is
//
//	SELECT hex(id), datetime(seen_at/1000, 'unixepoch') FROM sessions WHERE user_id = 'ada';
//
// # Feed
//
// A cache follows the file by triggers and the table sessions_feed (package dbstore).
// Each has a connection that reads, and holds up no writer. A file that was
// replaced is not believed. A store of New is not followed; its logouts wait for the caches
// of others all the same. A program that switches triggers off on its connection
// (SQLITE_DBCONFIG_ENABLE_TRIGGER) writes what no cache hears of.
//
// # Limits
//
// 16384 saves and as many loads wait at most, [coalesce.Options]; 4096 other
// calls; then [hosts.ErrBusy]. The log is moved into the database at 16 MiB and
// keeps at most 64 MiB of the disk. A connection has up to 2 MiB of pages in
// memory.
package sqlite
