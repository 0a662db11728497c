package dbstore

import (
	"context"
	"errors"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// maxPage is the most records that one statement of Find reads.
const maxPage = 1000

// finds are the statements of Find, one for each shape of a query.
type finds struct {
	mu    sync.Mutex
	owner *backend
	shape [32]*statement
}

func (f *finds) begin(b *backend) { f.owner = b }

func (f *finds) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for _, s := range f.shape {
		err = errors.Join(err, s.close())
	}
	return err
}

// statement prepares a shape when it is first asked for, without the lock.
func (f *finds) statement(ctx context.Context, q hosts.Query) (*statement, error) {
	i, text := 0, " WHERE id > ?"
	// What is not empty is named: then an index without the empty ones serves.
	if !q.AnyTenant {
		i, text = i|1, text+" AND tenant_id = ?"
		if q.Tenant != "" {
			i, text = i|8, text+" AND tenant_id <> ''"
		}
	}
	if !q.AnyUser {
		i, text = i|2, text+" AND user_id = ?"
		if q.User != "" {
			i, text = i|16, text+" AND user_id <> ''"
		}
	}
	if q.ExpiresBefore != 0 {
		i, text = i|4, text+" AND expiry_hour <= ? AND expires_at < ?"
	}
	from := "SELECT " + Columns + " FROM " + f.owner.table.String()
	if !q.AnyUser && q.User != "" {
		from += f.owner.texts.syntax.ByOwner
	}
	f.mu.Lock()
	s := f.shape[i]
	f.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := f.owner.prepare(ctx, f.owner.db.Read, f.owner.texts.syntax.number(from+text+" ORDER BY id LIMIT ?"))
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shape[i] == nil {
		f.shape[i] = s
		return s, nil
	}
	return f.shape[i], s.close() // another call was faster
}

// Find implements hosts.Finder. It reads limit records into memory, 1000 in
// one statement.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	var found []core.Record
	for len(found) < limit {
		n := min(limit-len(found), maxPage)
		page, err := s.page(ctx, q, after, n)
		if err != nil {
			return nil, s.fail(ctx, "find", err)
		}
		found = append(found, page...)
		if len(page) < n {
			break
		}
		after = page[n-1].ID
	}
	return found, nil
}

func (b *backend) page(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	st, err := b.finds.statement(ctx, q)
	if err != nil {
		return nil, err
	}
	args := []any{after[:]}
	if !q.AnyTenant {
		args = append(args, q.Tenant)
	}
	if !q.AnyUser {
		args = append(args, q.User)
	}
	if q.ExpiresBefore != 0 {
		args = append(args, Bucket(q.ExpiresBefore), int64(q.ExpiresBefore))
	}
	var page []core.Record
	err = b.again(ctx, func() error {
		rows, err := st.rows(ctx, append(args, limit)...)
		if err != nil {
			return err
		}
		page, err = ScanAll(rows)
		return err
	})
	return page, err
}
