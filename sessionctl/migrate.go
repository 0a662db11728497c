package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

var migrateCommand = Command{
	Name: "migrate", Brief: "create the tables of a database or update them",
	About: `Creates the tables of a database, or brings them up to date, with the rights of the user
in the URL. It does so even if the URL has migrate=false. Servers can then run with fewer
rights. Several processes may do this at once. For a store of files, it creates a missing
directory. Otherwise files and Redis have nothing to migrate, and the command says so.`,
	Examples: []string{`sessionctl migrate --store postgres://app@db/shop`},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		t := &target{}
		t.add(set)
		return t.migrate
	},
}

// migrator is implemented by stores that have a schema.
type migrator interface {
	Migrate(ctx context.Context) error
}

func (t *target) migrate(ctx context.Context, p *Program, _ []string) error {
	name, err := t.name()
	if err != nil {
		return err
	}
	missing := errors.Is(stores.Exists(ctx, name), stores.ErrNoStore)
	return t.by(ctx, p, stores.OpenMigrated, func(store hosts.Store) error {
		schema, ok := hosts.As[migrator](store)
		if ok {
			m := t.meter(p, "migrate")
			err := schema.Migrate(ctx)
			m.done()
			if err != nil {
				return stopped(ctx, "migrate", err)
			}
		}
		if t.json {
			return p.object(map[string]bool{"schema": ok})
		}
		text := "the schema is up to date"
		switch dir, _ := stores.Dir(name); {
		case !ok && missing:
			text = "the store was created in " + dir + "; nothing to migrate: it has no schema"
		case !ok:
			text = "nothing to migrate: this store has no schema"
		}
		_, err := fmt.Fprintln(p.Out, text)
		return err
	})
}
