package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rockstar-web/sessions/core"
)

// errOtherDriver says that a pool is not pgx's.
var errOtherDriver = errors.New("the pool is not one of github.com/jackc/pgx/v5/stdlib")

// native lends a connection of the pool as the driver's own.
func native(ctx context.Context, db *sql.DB, do func(*pgx.Conn) error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(conn any) error {
		own, ok := conn.(*stdlib.Conn)
		if !ok {
			return errOtherDriver
		}
		return do(own.Conn())
	})
}

// scan reads dbstore.Columns in the driver's own way.
func scan(rows pgx.Rows) (r core.Record, err error) {
	var id pgtype.DriverBytes
	var version int64
	err = rows.Scan(&id, &version, &r.Tenant, &r.User, (*int64)(&r.CreatedAt), (*int64)(&r.SeenAt), (*int64)(&r.ExpiresAt), &r.Sealed)
	if err != nil {
		return core.Record{}, err
	}
	if len(id) != len(r.ID) {
		return core.Record{}, core.ErrCorrupt
	}
	r.ID, r.Version = core.ID(id), core.Version(version)
	return r, nil
}
