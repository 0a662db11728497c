package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
)

// setting is a variable of a connection that an administrator may have set for
// all of them, and that changes what the statements here do.
type setting struct {
	name  string
	value string // what it must be, as SET takes it
	wrong func(is string) bool
}

var settings = []setting{
	{"autocommit", "1", not("ON")},              // else nothing is kept
	{"completion_type", "0", not("NO_CHAIN")},   // else nothing that follows a batch is kept
	{"sql_select_limit", noLimit, not(noLimit)}, // else sessions are not found
	{"sql_safe_updates", "0", not("OFF")},       // else batches are refused
	{"sql_mode", "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", has("ORACLE", "EMPTY_STRING_IS_NULL")},
}

// isolations are names of one variable: no server knows both, so that Open
// cannot set them.
var isolations = []setting{
	{"tx_isolation", "'READ-COMMITTED'", has("READ-UNCOMMITTED")}, // a batch may be undone
	{"transaction_isolation", "'READ-COMMITTED'", has("READ-UNCOMMITTED")},
}

const noLimit = "18446744073709551615"

func not(right string) func(string) bool { return func(is string) bool { return is != right } }

func has(wrong ...string) func(string) bool {
	return func(is string) bool {
		for _, w := range wrong {
			if strings.Contains(is, w) {
				return true
			}
		}
		return false
	}
}

// pinned are the parameters of Open's connections.
func pinned() map[string]string {
	p := map[string]string{"innodb_lock_wait_timeout": lockTimeout}
	for _, s := range settings {
		p[s.name] = s.value
	}
	return p
}

// checkSettings refuses a database whose connections are set up otherwise.
func checkSettings(ctx context.Context, db *sql.DB) error {
	all := slices.Concat(isolations, settings)
	rows, err := db.QueryContext(ctx, "SHOW VARIABLES WHERE Variable_name IN "+list(len(all)), names(all)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, is string
		if err := rows.Scan(&name, &is); err != nil {
			return err
		}
		for _, s := range all {
			if s.name == name && s.wrong(is) {
				return &hosts.ConfigError{Field: name + " of the connections", Value: is,
					Allowed: fmt.Sprintf("%s: set it in their DSN, or on the server", s.value)}
			}
		}
	}
	return rows.Err()
}

func names(all []setting) []any {
	n := make([]any, len(all))
	for i, s := range all {
		n[i] = s.name
	}
	return n
}
