package dbstore

import (
	"fmt"
	"strconv"
	"strings"
)

// texts are the statements that all databases share.
type texts struct {
	load, version         string
	insert, update, touch string
	remove                string
	schema, applied       string // reads and notes the version of the schema
	syntax                Syntax
	table                 Table
}

// write writes them once, for one table.
func write(s Syntax, t Table) texts {
	name := t.String()
	sets := "version = ?, tenant_id = ?, user_id = ?, created_at = ?, seen_at = ?, expires_at = ?, " +
		"expiry_hour = " + s.Least + "(expiry_hour, ?), data = ? WHERE id = ? AND version = ?"
	update := "UPDATE " + name + " SET "
	return texts{
		load:    s.number("SELECT " + Columns + " FROM " + name + " WHERE id = ?"),
		version: s.number("SELECT version FROM " + name + " WHERE id = ?"),
		insert: s.number("INSERT INTO " + name + " (version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data, id) " +
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) " + s.OnTaken),
		update:  s.number(update + sets),
		touch:   s.number(update + "touch_version = ?, " + sets + s.OnTouch),
		remove:  s.number("DELETE FROM " + name + " WHERE id = ?" + s.OnDelete),
		schema:  fmt.Sprintf("SELECT MAX(version) FROM %s WHERE version NOT IN (%d, %d)", t.With("_schema"), markOn, markStopping),
		applied: s.number("INSERT INTO " + t.With("_schema") + " (version) VALUES (?)"),
		syntax:  s,
		table:   t,
	}
}

// number turns each ? into $1, $2 where the database wants that.
func (s Syntax) number(text string) string {
	if !s.Numbered {
		return text
	}
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
