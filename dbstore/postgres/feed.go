package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/dbstore"
)

var _ dbstore.FeedDialect = dialect{}

// CanFeed implements dbstore.FeedDialect.
func (dialect) CanFeed() error { return nil }

// OnPrimary implements dbstore.FeedDialect.
func (dialect) OnPrimary() string { return "NOT pg_is_in_recovery()" }

// triggers of the feed fire once for a statement: a batch of 64 saves costs a half of
// what triggers for each row cost, and touches little.
var triggers = []struct{ name, when, call string }{
	{"feed_saved", "UPDATE ON %s REFERENCING OLD TABLE AS o NEW TABLE AS n", "_feed_saved"},
	{"feed_deleted", "DELETE ON %s REFERENCING OLD TABLE AS o", "_feed_deleted"},
	{"feed_truncated", "TRUNCATE ON %s", "_feed_truncated"},
}

// functions of the triggers, by what they enter. A save that notes a use of the session
// says so by touch_version, and has no entry; nor has the sweep's change of the hour. A
// change that leaves the version as it is has an entry without it.
//
// The server keeps the plan that it made for the first statement, of one row maybe: a
// full join it can plan by hashing alone, and a loop in a loop not.
//
// They have the rights of who made them, so that a role that may change sessions needs
// none; so they name everything with its schema, operators too: the search path is
// the caller's.
var functions = []struct{ name, entries string }{
	{"_feed_saved", "SELECT pg_catalog.pg_current_xact_id(), o.id, CASE WHEN n.version # o.version THEN n.version ELSE 0 END, o.version " +
		"FROM o FULL JOIN n ON n.id == o.id WHERE CASE WHEN o.id IS NULL THEN false WHEN n.id IS NULL THEN true WHEN n.version # o.version THEN n.version # n.touch_version " +
		"ELSE n.tenant_id # o.tenant_id OR n.user_id # o.user_id OR n.created_at # o.created_at OR n.seen_at # o.seen_at OR n.expires_at # o.expires_at OR n.data # o.data END"},
	{"_feed_deleted", "SELECT pg_catalog.pg_current_xact_id(), o.id, 0, o.version FROM o"},
	{"_feed_truncated", "VALUES (pg_catalog.pg_current_xact_id(), NULL, 0, 0)"},
}

var operators = strings.NewReplacer("#", "OPERATOR(pg_catalog.<>)", "==", "OPERATOR(pg_catalog.=)")

// FeedScript implements dbstore.FeedDialect, as one statement, so that no trigger is
// away for anybody. The table is not logged: after a crash or a promotion it is empty,
// and its first row, which has the number xid 0 and in prev the feed's own random
// number, is missing or another. So a follower finds out that the server was another
// meanwhile, and transactions may have been given their numbers again. In version
// the row has the number below which entries were pruned.
//
// The triggers fire also where a session has replication roles.
func (dialect) FeedScript(t dbstore.Table) string {
	name, entries := t.String(), t.With("_feed")
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+";\n", args...) }
	line("CREATE UNLOGGED TABLE IF NOT EXISTS %s (xid xid8 NOT NULL, id bytea, version bigint NOT NULL, prev bigint NOT NULL)", entries)
	line("CREATE INDEX IF NOT EXISTS %s ON %s (xid)", t.Index("feed_xid"), entries)
	line("%s", firstEntry(t))
	line("SELECT format('%%I.%%I', n.nspname, c.relname) INTO STRICT entries FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = '%s'::regclass", entries)
	for _, f := range functions {
		line("EXECUTE format($f$CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "+
			"$b$BEGIN INSERT INTO %%s (xid, id, version, prev) %s; RETURN NULL; END$b$ $f$, entries)", t.With(f.name), operators.Replace(f.entries))
		line("REVOKE ALL ON FUNCTION %s() FROM PUBLIC", t.With(f.name))
	}
	for _, g := range triggers {
		line("DROP TRIGGER IF EXISTS %s ON %s", t.Index(g.name), name)
		line("CREATE TRIGGER %s AFTER "+g.when+" FOR EACH STATEMENT EXECUTE FUNCTION %s()", t.Index(g.name), name, t.With(g.call))
		line("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", name, t.Index(g.name))
	}
	return "DO $do$ DECLARE entries text; BEGIN\n" + b.String() + "END $do$;\n"
}

// SetUpFeed implements dbstore.FeedDialect.
func (d dialect) SetUpFeed(ctx context.Context, c *sql.Conn, t dbstore.Table) error {
	_, err := c.ExecContext(ctx, d.FeedScript(t))
	return err
}

// firstEntry makes the first row anew after a crash. Two programs may make one each; the
// larger counts.
func firstEntry(t dbstore.Table) string {
	return "INSERT INTO " + t.With("_feed") + " (xid, version, prev) SELECT '0', 0, hashtextextended(gen_random_uuid()::text, 0) " +
		"WHERE NOT EXISTS (SELECT 1 FROM " + t.With("_feed") + " WHERE xid = '0')"
}

// FeedDrop implements dbstore.FeedDialect.
func (dialect) FeedDrop(t dbstore.Table) []string {
	all := []string{"DROP TABLE IF EXISTS " + t.With("_feed")}
	for _, f := range functions {
		all = append(all, "DROP FUNCTION IF EXISTS "+t.With(f.name)+"()")
	}
	return all
}

// Prune implements dbstore.FeedDialect. The first row has the number before anything
// below it is gone.
func (dialect) Prune(ctx context.Context, db dbstore.DB, t dbstore.Table, below int64, limit int) (n int, err error) {
	name := t.With("_feed")
	err = db.Write.QueryRowContext(ctx, "WITH old AS (SELECT ctid FROM "+name+" WHERE xid > '0' AND xid < $1::bigint::text::xid8 ORDER BY xid LIMIT $2 FOR UPDATE SKIP LOCKED), "+
		"first AS (UPDATE "+name+" SET version = GREATEST(version, $1::bigint) WHERE xid = '0' AND version < $1::bigint AND EXISTS (SELECT 1 FROM old)), "+
		"gone AS (DELETE FROM "+name+" WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1) SELECT count(*) FROM gone",
		below, limit).Scan(&n)
	return n, err
}
