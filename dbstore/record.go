package dbstore

import (
	"database/sql"
	"fmt"

	"github.com/rockstar-web/sessions/core"
)

// Columns of a record, in the order of Scan and of Values without the bucket.
const Columns = "id, version, tenant_id, user_id, created_at, seen_at, expires_at, data"

// Bucket returns the hour of an expiry, which the sweep goes by.
func Bucket(t core.Time) int64 {
	h := int64(t / core.Hour)
	if t%core.Hour < 0 {
		h-- // division rounds towards zero
	}
	return h
}

// Scan reads Columns from a row of the driver.
func Scan(row interface{ Scan(...any) error }) (core.Record, error) {
	var r core.Record
	var id []byte
	var version int64
	err := row.Scan(&id, &version, &r.Tenant, &r.User, &r.CreatedAt, &r.SeenAt, &r.ExpiresAt, &r.Sealed)
	if err != nil {
		return core.Record{}, err
	}
	if len(id) != len(r.ID) {
		return core.Record{}, fmt.Errorf("a row has an ID of %d bytes: %w", len(id), core.ErrCorrupt)
	}
	copy(r.ID[:], id)
	r.Version = core.Version(version)
	return r, nil
}

// ScanAll reads all rows of Columns and closes them.
func ScanAll(rows *sql.Rows) ([]core.Record, error) {
	defer rows.Close()
	var all []core.Record
	for rows.Next() {
		r, err := Scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
