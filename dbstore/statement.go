package dbstore

import (
	"context"
	"database/sql"
)

// statement is a text that is prepared or left to the driver to prepare.
type statement struct {
	db       *sql.DB
	text     string
	prepared *sql.Stmt
}

func (b *backend) prepare(ctx context.Context, db *sql.DB, text string) (*statement, error) {
	s := &statement{db: db, text: text}
	if !b.texts.syntax.Prepare {
		return s, nil
	}
	var err error
	s.prepared, err = db.PrepareContext(ctx, text)
	return s, err
}

func (s *statement) row(ctx context.Context, args ...any) *sql.Row {
	if s.prepared != nil {
		return s.prepared.QueryRowContext(ctx, args...)
	}
	return s.db.QueryRowContext(ctx, s.text, args...)
}

func (s *statement) rows(ctx context.Context, args ...any) (*sql.Rows, error) {
	if s.prepared != nil {
		return s.prepared.QueryContext(ctx, args...)
	}
	return s.db.QueryContext(ctx, s.text, args...)
}

func (s *statement) exec(ctx context.Context, args ...any) (sql.Result, error) {
	if s.prepared != nil {
		return s.prepared.ExecContext(ctx, args...)
	}
	return s.db.ExecContext(ctx, s.text, args...)
}

func (s *statement) close() error {
	if s == nil || s.prepared == nil {
		return nil
	}
	return s.prepared.Close()
}
