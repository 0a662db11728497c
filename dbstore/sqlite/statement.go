package sqlite

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// A statement is one that connections keep prepared, to be run without
// database/sql: that would double the cost of a load within a batch.
type statement int

const (
	begin statement = iota
	beginWrite
	commit
	rollback
	restart
	load
	version
	insert
	keep
	update
	remove
	due
	expire
	move
	feedVersion
	feedParts
	feedMark
	feedLast
	feedSince
	statements
)

// texts of the statements, for one table. The arguments of those that write a
// record have one order: version, tenant, user, created, seen, expires, hour,
// data, ID, previous version, and 1 for a touch.
type texts [statements]string

func write(t dbstore.Table) *texts {
	const touched = "touch_version = CASE ?11 WHEN 1 THEN ?1 ELSE touch_version END"
	name := t.String()
	return &texts{
		begin:      "BEGIN",
		beginWrite: "BEGIN IMMEDIATE",
		commit:     "COMMIT",
		rollback:   "ROLLBACK",
		restart:    "PRAGMA wal_checkpoint(RESTART)",
		load:       "SELECT version, tenant_id, user_id, created_at, seen_at, expires_at, data FROM " + name + " WHERE id = ?",
		version:    "SELECT version FROM " + name + " WHERE id = ?",
		insert: "INSERT INTO " + name + " (version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data, id) " +
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		// SQLite writes the index entries of every column that is set, changed
		// or not, at four times the cost: most saves change none.
		keep: "UPDATE " + name + " SET version = ?1, created_at = ?4, seen_at = ?5, expires_at = ?6, data = ?8, " + touched +
			" WHERE id = ?9 AND version = ?10 AND tenant_id = ?2 AND user_id = ?3 AND expiry_hour <= ?7",
		update: "UPDATE " + name + " SET version = ?1, tenant_id = ?2, user_id = ?3, created_at = ?4, seen_at = ?5, expires_at = ?6, " +
			"expiry_hour = ?7, data = ?8, " + touched + " WHERE id = ?9 AND version = ?10",
		remove: "DELETE FROM " + name + " WHERE id = ?",
		due: "SELECT id, expires_at FROM " + name + " WHERE expiry_hour <= ?1 " +
			"AND (expires_at < ?2 OR expires_at >= (expiry_hour + 1) * 3600000) ORDER BY expiry_hour LIMIT ?3",
		expire: "DELETE FROM " + name + " WHERE id = ? AND expires_at < ?",
		move:   "UPDATE " + name + " SET expiry_hour = ? WHERE id = ?",

		feedVersion: "PRAGMA data_version",
		feedParts: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '" + t.Plain() + "_feed' OR type = 'trigger' AND tbl_name = '" + t.Plain() +
			"' AND name IN ('" + t.Plain() + "_feed_update', '" + t.Plain() + "_feed_delete', '" + t.Plain() + "_feed_replace')",
		feedMark:  "SELECT " + dbstore.MarkText(t),
		feedLast:  "SELECT seq, id, version, prev FROM " + t.With("_feed") + " ORDER BY seq DESC LIMIT 1",
		feedSince: "SELECT seq, id, version, prev FROM " + t.With("_feed") + " WHERE seq >= ? ORDER BY seq LIMIT ?",
	}
}

// values of a record, in the order that the statements which write it have.
func values(r *core.Record) []any {
	sealed := r.Sealed
	if sealed == nil {
		sealed = []byte{} // which is not null
	}
	return []any{int64(r.Version), r.Tenant, r.User, int64(r.CreatedAt), int64(r.SeenAt), int64(r.ExpiresAt),
		dbstore.Bucket(r.ExpiresAt), sealed, r.ID[:]}
}
