package mysql

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/rockstar-web/sessions/dbstore"
)

var _ dbstore.FeedDialect = dialect{}

// CanFeed implements dbstore.FeedDialect.
func (dialect) CanFeed() error { return nil }

// OnPrimary implements dbstore.FeedDialect.
func (dialect) OnPrimary() string { return "CONCAT(@@read_only) IN ('0', 'OFF')" }

// feedTables make the table. Its first row has in prev the feed's own random number,
// and in version the number below which entries were pruned.
func feedTables(t dbstore.Table) []string {
	return []string{
		"CREATE TABLE IF NOT EXISTS " + t.With("_feed") + " (seq bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, id binary(16), version bigint NOT NULL, prev bigint NOT NULL) ENGINE=InnoDB",
		"INSERT IGNORE INTO " + t.With("_feed") + " (seq, version, prev) VALUES (1, 0, FLOOR(RAND() * 9007199254740991))",
	}
}

// feedTriggers are the triggers. A save that notes a use of the session says so by
// touch_version, and has no entry; nor has the sweep's change of the hour. A change
// that leaves the version as it is has an entry without it.
func feedTriggers(t dbstore.Table) []string {
	insert := "INSERT INTO " + t.With("_feed") + " (id, version, prev) VALUES (OLD.id, "
	var changed []string
	for _, column := range []string{"tenant_id", "user_id", "created_at", "seen_at", "expires_at", "data"} {
		changed = append(changed, "NEW."+column+" <> OLD."+column)
	}
	return []string{
		"CREATE TRIGGER " + t.Index("feed_update") + " AFTER UPDATE ON " + t.String() + " FOR EACH ROW IF NEW.id <> OLD.id OR NEW.version = OLD.version AND (" +
			strings.Join(changed, " OR ") + ") THEN " + insert + "0, OLD.version); ELSEIF NEW.version <> OLD.version AND NEW.version <> NEW.touch_version THEN " +
			insert + "NEW.version, OLD.version); END IF",
		"CREATE TRIGGER " + t.Index("feed_delete") + " AFTER DELETE ON " + t.String() + " FOR EACH ROW " + insert + "0, OLD.version)",
	}
}

// countTriggers is an expression of how many of them this user sees.
func countTriggers(t dbstore.Table) string {
	return "(SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_table = '" + t.Plain() +
		"' AND trigger_name IN ('" + t.Plain() + "_feed_update', '" + t.Plain() + "_feed_delete'))"
}

// triggerExists is the server's number for a trigger that is there.
const triggerExists = 1359

// SetUpFeed implements dbstore.FeedDialect. It takes no lock on the sessions where all is
// there: a question meanwhile would see no trigger.
func (dialect) SetUpFeed(ctx context.Context, c *sql.Conn, t dbstore.Table) error {
	for _, text := range feedTables(t) {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	var there int
	if err := c.QueryRowContext(ctx, "SELECT "+countTriggers(t)).Scan(&there); err != nil {
		return err
	}
	triggers := feedTriggers(t)
	if there == len(triggers) {
		return nil
	}
	for _, text := range triggers {
		_, err := c.ExecContext(ctx, text)
		var server *driver.MySQLError
		if errors.As(err, &server) && server.Number == triggerExists {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// FeedScript implements dbstore.FeedDialect.
func (dialect) FeedScript(t dbstore.Table) string {
	return strings.Join(feedTables(t), ";\n") + ";\nDELIMITER //\n" + strings.Join(feedTriggers(t), "//\n") + "//\nDELIMITER ;\n"
}

// FeedDrop implements dbstore.FeedDialect. The triggers went with the sessions.
func (dialect) FeedDrop(t dbstore.Table) []string {
	return []string{"DROP TABLE IF EXISTS " + t.With("_feed")}
}

// Prune implements dbstore.FeedDialect. The first row says so before anything is gone. The
// last one stays, or some servers would begin their numbers anew when they restart.
func (dialect) Prune(ctx context.Context, db dbstore.DB, t dbstore.Table, below int64, limit int) (int, error) {
	name := t.With("_feed")
	var last int64
	if err := db.Write.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq), 0) FROM "+name).Scan(&last); err != nil {
		return 0, err
	}
	below = min(below, last)
	if _, err := db.Write.ExecContext(ctx, "UPDATE "+name+" SET version = GREATEST(version, ?) WHERE seq = 1", below); err != nil {
		return 0, err
	}
	// A range would wait for the entry behind its end, whose transaction may be open.
	rows, err := db.Write.QueryContext(ctx, "SELECT seq FROM "+name+" WHERE seq > 1 AND seq < ? ORDER BY seq LIMIT ?", below, limit)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	old := []any{0} // is none, and shows whether this user may delete
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
		old = append(old, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	_, err = db.Write.ExecContext(ctx, "DELETE FROM "+name+" WHERE seq IN "+list(len(old)), old...)
	return len(old) - 1, err
}
