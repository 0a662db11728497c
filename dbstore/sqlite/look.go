package sqlite

import (
	"context"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
)

// HasTable reports whether a database file has a table. It reads the file alone:
// without locks, its log or the log's index, which SQLite would make.
func HasTable(ctx context.Context, path, table string) (there bool, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	c, err := sqlite3.OpenContext(ctx, uri(absolute)+"?mode=ro&immutable=1")
	if err != nil {
		return false, err
	}
	defer c.Close()
	s, _, err := c.Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
	if err != nil {
		return false, err
	}
	defer s.Close()
	if err := s.BindText(1, table); err != nil {
		return false, err
	}
	there = s.Step()
	return there, s.Err()
}
