// Package dbstore keeps sessions in one table of an SQL database, over
// database/sql and without a driver: packages sqlite, postgres and mysql beneath
// it bring one each, and open a [Store].
//
//	store, err := postgres.Open(ctx, "postgres://app:secret@db/app?sslmode=verify-full", postgres.Options{})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// A program that has an *sql.DB already hands it to the package's New, and
// closes it after the store.
//
// # Promises
//
// A save names the version that it replaces, in the statement that writes, so no
// update is lost and no ended session is written back, by whichever server. A
// save that is sent again is not applied twice, and no driver sends one again
// by itself: where a connection breaks under way the error is
// [hosts.ErrUnavailable], and the manager finds out what has become of it.
// What the server gave up for the sake of others (deadlocks, serialization) was
// not applied and is done again, up to 6 times; a logout for a minute, or until its
// context ends.
//
// While few calls are under way each is one prepared statement. Under load those
// that wait go together in one command ([coalesce.Store]), and each gets its own
// answer: a batch is a statement or a transaction of its own.
//
// Errors name the database and the remedy, and wrap hosts.ErrUnavailable,
// [hosts.ErrBusy] (nothing was changed), [hosts.ErrFull], [core.ErrTooLarge] or
// the error of the context. None shows a password. A call returns when its
// context ends; a save or delete that has begun may then still land.
//
// # Table
//
// The columns are the same everywhere, and numbers or binary, so that no zone,
// locale or collation of a server matters:
//
//	id             16 bytes, the key
//	version        63 random bits
//	tenant_id      text
//	user_id        text, empty while nobody is signed in
//	created_at     Unix milliseconds, as the next two
//	seen_at
//	expires_at
//	expiry_hour    never above the hour of expires_at; the sweep goes by it
//	data           sealed by the core; authenticated with all of the above but the hour
//	touch_version  the version, if what was saved last only notes a use of the session
//
// Indexes are on (user_id, tenant_id, id), (tenant_id, id) and expiry_hour; in SQLite
// and PostgreSQL the first two leave out what has no user or no tenant. None
// has a column that a touch changes. A sweep deletes in small batches what has
// expired, and moves the hour of what lives on, so that it looks at each but once.
//
// Whoever may read the table may ask who is signed in; see the packages for
// examples. Whoever writes it with SQL makes sessions that do not open: but
// for DELETE, which ends them.
//
// # Schema
//
// Opening creates the table, or brings it up to date, unless Options.NoMigrate.
// Any number of servers may start at once. A second table, the name with _schema
// behind it, has the version, which is 2; one that is newer than the program is
// refused. A table of version 1 is moved in place, with its sessions: MySQL adds a
// column, PostgreSQL also builds two indexes anew, SQLite copies the table. Meanwhile
// reads go on and writes wait. A program of the release before that has the table open goes on; what
// it saves counts as a change, never as a mere use.
// [Schema] returns the SQL for an administrator to run where the program may
// not create tables; it then needs SELECT, INSERT, UPDATE and DELETE on the
// table and SELECT on its companion.
//
// # Feed
//
// A cache before the store (package cachestore) follows it by a feed of changes. The
// first one makes a table, the name with _feed behind it, and triggers that write an
// entry into it in the transaction that changes a session, whichever program that is:
// a release of before, or an administrator's UPDATE or DELETE. New sessions have none, nor
// have saves that only note a use. Nothing of it is there, or costs anything, before.
// [FeedSchema] is the SQL for an administrator, where the program may not create
// triggers; it then needs SELECT, INSERT, UPDATE and DELETE on the table _feed and on
// the table _schema, and in MySQL TRIGGER on the sessions. Entries are deleted after
// five minutes. [Store.CheckFeed] reports triggers that are missing or switched off;
// who follows makes them anew.
//
// The table _schema has a row that says that caches are in use: 1001 on, 1002
// stopping, -2 switched off. A release that knows no feed refuses the first two as
// a newer schema. It must not run while a cache begins: its logouts do not wait.
//
// # Another database
//
// A [Dialect] is what one database does otherwise than another; [New] makes a
// Store of it. With [FeedDialect] it can be cached. Hold the result to package conformance.
package dbstore
