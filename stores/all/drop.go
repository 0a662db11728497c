package all

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// dropPage is how many sessions of a scratch namespace are read at once.
const dropPage = 1000

// dropTable drops the tables of a database.
func dropTable(open func(context.Context, stores.Name) (stores.Store, error)) func(context.Context, stores.Name) error {
	return func(ctx context.Context, n stores.Name) error {
		s, err := open(ctx, n)
		if err != nil {
			return err
		}
		return errors.Join(s.(interface{ Drop(context.Context) error }).Drop(ctx), s.Close())
	}
}

// deleteAll deletes session by session, for stores whose namespace is no more
// than a prefix. Hints of Redis may stay, and expire by themselves.
func deleteAll(open func(context.Context, stores.Name) (stores.Store, error)) func(context.Context, stores.Name) error {
	return func(ctx context.Context, n stores.Name) error {
		s, err := open(ctx, n)
		if err != nil {
			return err
		}
		return errors.Join(emptied(ctx, s), s.Close())
	}
}

func emptied(ctx context.Context, s stores.Store) error {
	var after core.ID
	for {
		page, err := s.(hosts.Finder).Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, after, dropPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := s.Delete(ctx, r.ID); err != nil {
				return err
			}
			after = r.ID
		}
		if len(page) < dropPage {
			return nil
		}
	}
}
