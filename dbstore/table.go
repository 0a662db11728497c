package dbstore

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
)

// DefaultTable is the table of a Store that names none.
const DefaultTable = "sessions"

// maxName leaves room for what is added to name indexes, in the 63 bytes that
// PostgreSQL tells apart.
const maxName = 48

// Table is the validated name of a table.
type Table struct {
	schema, name, quote string
}

// identifier holds names to what every database takes as it is written.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// ParseTable refuses what is not a plain name of lower-case letters, digits and
// underscores; "schema.name" is taken where the syntax says so.
func ParseTable(name string, s Syntax) (Table, error) {
	if name == "" {
		name = DefaultTable
	}
	t := Table{quote: s.Quote, name: name}
	if schema, rest, ok := strings.Cut(name, "."); ok && s.Qualified {
		t.schema, t.name = schema, rest
	}
	for _, part := range []string{t.schema, t.name} {
		if len(part) > maxName || !identifier.MatchString(part) && (part != t.schema || part != "") {
			allowed := fmt.Sprintf("1 to %d lower-case letters, digits and underscores, no digit first", maxName)
			if s.Qualified {
				allowed += "; or schema.table"
			}
			return Table{}, &hosts.ConfigError{Field: "Table", Value: fmt.Sprintf("%.100q", name), Allowed: allowed}
		}
	}
	return t, nil
}

// String returns the table's name as statements have it.
func (t Table) String() string { return t.With("") }

// With returns the name of the table's companion: With("_schema").
func (t Table) With(suffix string) string {
	return t.Beside(t.quote + t.name + suffix + t.quote)
}

// Index returns the name of one of the table's indexes, which never has a schema.
func (t Table) Index(of string) string { return t.quote + t.name + "_" + of + t.quote }

// Beside returns a quoted name as statements have it that is not the table's own:
// of an index that is to be dropped.
func (t Table) Beside(quoted string) string {
	if t.schema == "" {
		return quoted
	}
	return t.quote + t.schema + t.quote + "." + quoted
}

// Plain returns the name as it was given.
func (t Table) Plain() string {
	if t.schema == "" {
		return t.name
	}
	return t.schema + "." + t.name
}
