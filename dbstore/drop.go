package dbstore

import "context"

// Drop removes the table, with all its sessions, and its companion: what Migrate
// made. Nothing but Close is of use afterwards. It is for tables of a check.
func (s *Store) Drop(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	for _, name := range []string{s.table.String(), s.table.With("_schema")} {
		if _, err := s.db.Write.ExecContext(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
			return s.fail(ctx, "drop", err)
		}
	}
	return nil
}
