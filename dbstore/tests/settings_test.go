package tests

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

// TestSettingsOfTheServerChangeNothing: a DBA may set what a statement means, for
// all connections. Here it is for those of one user, so that no other test has them.
func TestSettingsOfTheServerChangeNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		chosen := w.settings
		if !soak.On() {
			chosen = chosen[len(chosen)-1:] // the strictest
		}
		for i, set := range chosen {
			w.Run(fmt.Sprint(i), func(t *testing.T) { w.underSettings(t, set) })
		}
	})
}

func (w *world) underSettings(t *testing.T, set string) {
	own := &world{T: t, server: w.server, table: fmt.Sprintf("test_%016x", rand.Uint64())}
	own.admin = own.database(nil)
	login := own.newUser()
	own.run(set)
	if own.name == "mysql" {
		t.Cleanup(func() { own.run("SET GLOBAL init_connect = ''") })
	}
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		each := &world{T: t, server: own.server, table: fmt.Sprintf("%s_%08x", own.table, rand.Uint32()), admin: own.admin}
		t.Cleanup(func() { each.run("DROP TABLE {table}, {table}_schema") })
		text, err := dbstore.Schema(each.dialect, each.table)
		require.NoError(t, err)
		each.run(text)
		if each.name == "postgres" {
			_, err := each.admin.Exec("GRANT SELECT, INSERT, UPDATE, DELETE ON " + each.table + ", " + each.table + "_schema TO " + user(own.table))
			require.NoError(t, err)
		} else {
			own.run(own.mayWrite)
		}
		return unfed{each.store(login)}, unfed{each.store(login)}
	}, soak.Unless(t, conformance.Brief())...)
}

// unfed is a store without its feed: this user may create no triggers.
type unfed struct{ *dbstore.Store }

func (unfed) CanFollow() error { return feed.ErrUnsupported }
func (unfed) CanCache() error  { return feed.ErrUnsupported }
