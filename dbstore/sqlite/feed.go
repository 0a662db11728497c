package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// CanFeed implements dbstore.FeedDialect.
func (d *dialect) CanFeed() error {
	if d.reader == nil {
		return fmt.Errorf("%w by way of New, which has no connection of its own for it; use sqlite.Open", feed.ErrUnsupported)
	}
	return nil
}

// feedSchema is the table and the triggers. A save that notes a use of the session
// says so by touch_version, and has no entry; nor has the sweep's change of the hour. A
// change that leaves the version as it is has an entry without it. The last
// trigger is for REPLACE, which fires none for what it deletes.
//
// The table is never empty, so that its numbers never begin anew.
func feedSchema(t dbstore.Table) []string {
	name, entries := t.String(), t.With("_feed")
	trigger := func(of, when, entry string) string {
		return "CREATE TRIGGER IF NOT EXISTS " + t.Index(of) + " " + when + " BEGIN INSERT INTO " + entries + " (id, version, prev) VALUES (" + entry + "); END"
	}
	return []string{
		"CREATE TABLE IF NOT EXISTS " + entries + " (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, version INTEGER NOT NULL, prev INTEGER NOT NULL) STRICT",
		"INSERT INTO " + entries + " (id, version, prev) SELECT zeroblob(16), random(), 0 WHERE NOT EXISTS (SELECT 1 FROM " + entries + ")",
		trigger("feed_update", "AFTER UPDATE OF id, version, tenant_id, user_id, created_at, seen_at, expires_at, data ON "+name+
			" WHEN NEW.version = OLD.version OR NEW.version <> NEW.touch_version",
			"OLD.id, CASE WHEN NEW.version = OLD.version OR NEW.id <> OLD.id THEN 0 ELSE NEW.version END, OLD.version"),
		trigger("feed_delete", "AFTER DELETE ON "+name, "OLD.id, 0, OLD.version"),
		trigger("feed_replace", "BEFORE INSERT ON "+name+" WHEN EXISTS (SELECT 1 FROM "+name+" WHERE id = NEW.id)", "NEW.id, 0, 0"),
	}
}

// feedTriggers is how many triggers that is.
const feedTriggers = 3

// SetUpFeed implements dbstore.FeedDialect.
func (d *dialect) SetUpFeed(ctx context.Context, c *sql.Conn, t dbstore.Table) error {
	for _, text := range feedSchema(t) {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// FeedScript implements dbstore.FeedDialect.
func (d *dialect) FeedScript(t dbstore.Table) string {
	return strings.Join(feedSchema(t), ";\n") + ";\n"
}

// FeedDrop implements dbstore.FeedDialect. The triggers went with the sessions.
func (d *dialect) FeedDrop(t dbstore.Table) []string {
	return []string{"DROP TABLE IF EXISTS " + t.With("_feed")}
}

// OnPrimary implements dbstore.FeedDialect.
func (d *dialect) OnPrimary() string { return "1" }

// Prune implements dbstore.FeedDialect.
func (d *dialect) Prune(ctx context.Context, db dbstore.DB, t dbstore.Table, below int64, limit int) (n int, err error) {
	res, err := db.Write.ExecContext(ctx, "DELETE FROM "+t.With("_feed")+" WHERE seq IN (SELECT seq FROM "+t.With("_feed")+
		" WHERE seq < ? ORDER BY seq LIMIT ?)", below, int64(limit))
	if err != nil {
		return 0, err
	}
	deleted, err := res.RowsAffected()
	return int(deleted), err
}
