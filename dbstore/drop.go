package dbstore

import "context"

// Drop removes the table, with all its sessions, and its companions: what Migrate
// and a cache made. Nothing but Close is of use afterwards. It is for tables of a check.
func (s *Store) Drop(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	texts := []string{"DROP TABLE IF EXISTS " + s.table.String(), "DROP TABLE IF EXISTS " + s.table.With("_schema")}
	if d, ok := s.dialect.(FeedDialect); ok {
		texts = append(texts, d.FeedDrop(s.table)...)
	}
	for _, text := range texts {
		if _, err := s.db.Write.ExecContext(ctx, text); err != nil {
			return s.fail(ctx, "drop", err)
		}
	}
	return nil
}
