// Package postgres keeps sessions in PostgreSQL 13 or newer, by pgx beneath
// database/sql, for any number of servers. Package dbstore has the promises. It
// is tested with version 15.
//
//	store, err := postgres.Open(ctx, "postgres://app:secret@db:5432/app?sslmode=verify-full", postgres.Options{})
//
// The URL is one of pgx's: sslmode, sslrootcert, target_session_attrs,
// several hosts and the PG... variables of the environment mean what they mean
// to libpq. In its query table, fast, migrate and max_conns set [Options]. The
// database must be in UTF-8. Connect to the primary (target_session_attrs=read-write):
// a standby does not see what was saved a moment ago.
//
// A program with a pool of its own opens it by pgx's stdlib and calls [New]:
//
//	db := stdlib.OpenDB(*config) // or stdlib.OpenDBFromPool(pool)
//	db.SetMaxOpenConns(16)
//	db.SetMaxIdleConns(16)
//	store, err := postgres.New(ctx, db, postgres.Options{})
//
// A pool of another driver, such as lib/pq, does too, but is slower: its batches are
// sent as text, and database/sql knows each of its statements by a round trip of
// its own.
//
// # PgBouncer
//
// Behind PgBouncer in transaction mode add default_query_exec_mode=cache_describe
// to the URL, so that no prepared statement is left on a connection (also
// exec or simple_protocol, which cost more). PgBouncer 1.21 and newer, with
// max_prepared_statements set, needs nothing. No statement of the store leaves
// anything behind on a connection, and locks end with their transaction.
//
// # Isolation
//
// The promises hold with any default_transaction_isolation, and cost least with
// read committed, the server's own. With the others the server gives up what
// meets another program's save, and the store does it again: under much
// contention a save may fail with [hosts.ErrBusy] then, and a logout takes longer.
//
// # Fast
//
// [Options].Fast commits the saves that only note a use of a session without
// waiting for the disk (synchronous_commit = off, for that statement alone).
// A crash of the server undoes those of its last moment, at most three times
// wal_writer_delay, 0.6 s by default: a session may then idle out that much
// earlier. Nothing else is lost, and nothing is damaged: logins, changes of
// data and logouts wait for the disk, as does a batch with one of these in it. If
// the server itself has synchronous_commit = off, only logouts wait for the disk.
//
// # Table
//
// A touch writes no index and stays in its page (HOT: fillfactor 80), and costs
// some 200 bytes of log beside what is sealed, fewer in a batch. Autovacuum
// needs no tuning. To ask for the sessions of a user:
//
//	SELECT encode(id, 'hex'), to_timestamp(seen_at / 1000.0), to_timestamp(expires_at / 1000.0)
//	FROM sessions WHERE user_id = 'ada' AND tenant_id = 'acme';
//
// and for how many are signed in and live:
//
//	SELECT count(DISTINCT user_id) FROM sessions WHERE user_id <> '' AND expires_at > extract(epoch FROM now()) * 1000;
//
// [dbstore.Schema] of [Dialect] returns the SQL that creates it.
//
// # Limits
//
// Up to 8 loads and 8 saves are under way by themselves; more gather in batches
// of up to 256, for which there is one worker for each two processors, 2 to 4
// ([Options].Loads and Saves). Open has at most 16 connections, closes those that
// are idle for 5 minutes, and each after 30 minutes, so that a failover is
// followed.
//
// # Feed
//
// A cache follows the table by triggers for each statement and the table sessions_feed
// (package dbstore). A question is one statement on any connection, also behind
// PgBouncer: it goes by transaction numbers and snapshots, so that a transaction that commits
// late is not passed by. The table is unlogged: a crash, or the promotion of a
// standby, empties it, and every cache then begins anew. A standby is not believed.
// What TRUNCATE removes is heard of. The triggers' functions have the rights of who made
// them, so that a role that changes sessions needs none on the table of the feed.
package postgres
