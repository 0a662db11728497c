package dbstore

import (
	"database/sql"

	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// Options of New. The zero value is the default.
type Options struct {
	// Table has the sessions: lower-case letters, digits and underscores.
	// Default DefaultTable. Its companion Table_schema has their version.
	Table string
	// NoMigrate leaves the schema alone: New fails if it is not the newest,
	// and its error says what to run.
	NoMigrate bool
	// Writer is where saves, deletes and sweeps go. Default: the database
	// that New is given.
	Writer *sql.DB
	// CloseDB has Close close the databases, too.
	CloseDB bool
	// Loads and Saves bound the gathering of calls. Where they are zero the
	// dialect's defaults hold.
	Loads, Saves coalesce.Options
}
