// Package mysql keeps sessions in MariaDB 10.3 or MySQL 5.7 and newer, for any
// number of servers. Package dbstore has the promises. It is tested with MariaDB
// 10.11, and keeps to what both understand.
//
//	store, err := mysql.Open(ctx, "mysql://app:secret@db:3306/app?tls=true", mysql.Options{})
//
// In the query of the URL table, migrate and max_conns set [Options]; socket is
// the path of a Unix socket instead of host and port; tls is true, false,
// preferred or skip-verify, and tls_ca a file of certificates to trust instead
// of the system's. Connect to the primary: a replica does not see what was saved
// a moment ago. In a Galera cluster let all programs write to one node, or set
// wsrep_sync_wait=1.
//
// A program with a pool of its own opens it by github.com/go-sql-driver/mysql and
// calls [New]:
//
//	db, err := sql.Open("mysql", "app:secret@tcp(db:3306)/app?interpolateParams=true")
//	db.SetMaxOpenConns(16)
//	db.SetMaxIdleConns(16)
//	store, err := mysql.New(ctx, db, mysql.Options{})
//
// Open sets for its connections what an administrator may have set otherwise for
// all, and what would lose logins and logouts then: autocommit, completion_type,
// sql_select_limit, sql_safe_updates and sql_mode. New refuses a pool where they
// are wrong, and both refuse the isolation READ-UNCOMMITTED; the error says
// what to set.
//
// # Durability
//
// A save is as durable as a commit is: leave innodb_flush_log_at_trx_commit at
// 1. At 2 a crash of the machine undoes the last second, logouts too.
// Where MariaDB meets a full disk it may end itself; the store then reports
// [hosts.ErrUnavailable] until it is back.
//
// # Table
//
// The table is InnoDB's whatever the default, and its names are binary: MySQL
// compares text without regard to case or blanks behind it, which are other
// users here. Batches replace rows by a join with what is new, in a
// transaction that reads what is committed, and never insert what was deleted. A
// server that logs for replication needs binlog_format ROW or MIXED, which
// are the defaults. To ask for the sessions of a user:
//
//	SELECT hex(id), from_unixtime(seen_at / 1000), from_unixtime(expires_at / 1000)
//	FROM sessions WHERE user_id = 'ada' AND tenant_id = 'acme';
//
// [dbstore.Schema] of [Dialect] returns the SQL that creates it. IDs are random, so
// that rows and the entries of the indexes are read and written at random places:
// give innodb_buffer_pool_size room for them, some 450 bytes a session of 300
// sealed, or all calls slow down as the table grows.
//
// Version 1 had no touch_version. Opening adds it, at once in MariaDB and MySQL 8, by
// a copy of the table in MySQL 5.7. It does not queue up behind a long transaction,
// but tries again each second.
//
// # Limits
//
// A session must fit into the server's max_allowed_packet, which is read when the
// store is opened; the error of one that does not names it. Up to 8 loads and 8
// saves are under way by themselves; more gather in batches of up to 256, one at
// a time ([Options].Loads and Saves). A statement waits 10 s for a lock
// (innodb_lock_wait_timeout, of Open's connections), also when its caller has
// gone. Sweeps delete 200 at once and rest as long as that took. Open has at
// most 16 connections, closes those that are idle for 5 minutes, and each after
// 30 minutes, so that a failover is followed.
//
// # Feed
//
// A cache follows the table by triggers and the table sessions_feed (package dbstore), on
// a connection of its own. Each entry has a number, and what was written but not
// committed yet is asked for until it is, or is undone, however long that takes. A
// number that was drawn without an entry is asked for five minutes. A server with
// read_only is not believed, nor another connection behind a proxy. Where
// auto_increment_increment is not 1, as in a cluster that writes on several nodes, there is
// no cache. TRUNCATE fires no triggers: restart the programs that cache after it.
// With its binary log on, a server lets only those create triggers who have SUPER, unless
// log_bin_trust_function_creators is set.
package mysql
