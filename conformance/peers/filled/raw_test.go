package filled

import (
	"context"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// rows is a table of sessions, ours of any version.
type rows struct {
	*database
	name    string
	columns []string
	alike   map[string]any // what every row has in the columns that are no part of a record
}

// rowsOf learns the columns of our table, in which there is a session: what it
// does not know it copies from that one.
func rowsOf(d *database, name string) *rows {
	t := &rows{database: d, name: name, alike: map[string]any{}}
	var left []string
	filled, err := d.Query(d.byItself, name)
	require.NoError(d, err)
	for filled.Next() {
		var column string
		require.NoError(d, filled.Scan(&column))
		left = append(left, column)
	}
	require.NoError(d, filled.Close())
	one, err := d.Query("SELECT * FROM " + name + " LIMIT 1")
	require.NoError(d, err)
	defer one.Close()
	columns, err := one.Columns()
	require.NoError(d, err)
	require.True(d, one.Next(), "a session of the store's own shows what a row has")
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range into {
		into[i] = &values[i]
	}
	require.NoError(d, one.Scan(into...))
	for i, column := range columns {
		if !slices.Contains(left, column) {
			t.columns = append(t.columns, column)
			t.alike[column] = values[i]
		}
	}
	return t
}

// row has the values of the table's columns.
func (t *rows) row(r *core.Record) []any {
	known := map[string]any{"id": r.ID[:], "version": int64(r.Version), "tenant_id": r.Tenant, "user_id": r.User, "created_at": int64(r.CreatedAt),
		"seen_at": int64(r.SeenAt), "expires_at": int64(r.ExpiresAt), "expiry_hour": dbstore.Bucket(r.ExpiresAt), "data": r.Sealed}
	values := make([]any, len(t.columns))
	for i, column := range t.columns {
		v, ok := known[column]
		if !ok {
			v = t.alike[column]
		}
		values[i] = v
	}
	return values
}

func (t *rows) fill(ctx context.Context, records []core.Record) error {
	all := make([][]any, len(records))
	for i := range records {
		all[i] = t.row(&records[i])
	}
	return t.bulk(ctx, t.name, t.columns, all)
}

// raw does by the driver alone, in batches as large as callers are many, what a
// store on this table has to do. Nobody has to wait for an answer of their own.
func (t *rows) raw() *engine {
	e := &engine{callers: t.writers, batch: callers, bulk: t.fill}
	insert := t.inserter()
	var set []string
	for i, column := range t.columns {
		set = append(set, column+" = "+t.place(i+1))
	}
	n := len(t.columns)
	update := t.prepare("UPDATE " + t.name + " SET " + strings.Join(set, ", ") + " WHERE id = " + t.place(n+1) + " AND version = " + t.place(n+2))
	e.save = func(ctx context.Context, saves []hosts.Saving) error {
		if saves[0].Prev == core.NoVersion {
			return insert(ctx, saves)
		}
		return t.within(ctx, update, len(saves), func(i int) []any {
			r := &saves[i].Record
			return append(t.row(r), r.ID[:], int64(saves[i].Prev))
		})
	}
	load := t.prepare("SELECT " + dbstore.Columns + " FROM " + t.name + " WHERE id IN " + t.places(1, callers))
	e.load = func(ctx context.Context, ids []core.ID) error {
		got, err := load.QueryContext(ctx, arguments(ids)...)
		if err != nil {
			return err
		}
		all, err := dbstore.ScanAll(got)
		if err == nil && len(all) == 0 {
			err = core.ErrNotFound
		}
		return err
	}
	remove := t.prepare("DELETE FROM " + t.name + " WHERE id IN " + t.places(1, callers))
	e.remove = func(ctx context.Context, ids []core.ID) error {
		_, err := remove.ExecContext(ctx, arguments(ids)...)
		return err
	}
	e.sweep = func(ctx context.Context, before core.Time, _ int) (int, error) {
		return affected(t.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE expiry_hour <= "+t.place(1)+" AND expires_at < "+t.place(2),
			dbstore.Bucket(before), int64(before)))
	}
	return e
}

func (t *rows) inserter() func(context.Context, []hosts.Saving) error {
	into := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES "
	if t.oneByOne {
		insert := t.prepare(into + t.places(1, len(t.columns)))
		return func(ctx context.Context, saves []hosts.Saving) error {
			return t.within(ctx, insert, len(saves), func(i int) []any { return t.row(&saves[i].Record) })
		}
	}
	insert := t.prepare(into + t.places(callers, len(t.columns)))
	return func(ctx context.Context, saves []hosts.Saving) error {
		var values []any
		for i := range saves {
			values = append(values, t.row(&saves[i].Record)...)
		}
		_, err := insert.ExecContext(ctx, values...)
		return err
	}
}
