package mission

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/wazero"
)

// engine is compiled once, and ends with the process.
var engine = sync.OnceValues(func() (*wazero.Engine, error) {
	return wazero.New(context.Background(), wazero.Options{})
})

// manager is hosts.New, with the engine of the column.
func (b backend) manager(store hosts.Store, c hosts.Config) (*hosts.Manager, error) {
	if b.wasm {
		e, err := engine()
		if err != nil {
			return nil, err
		}
		c.Engine = e.Configure
	}
	return hosts.New(store, c)
}

// twice gives every backend a column of each engine: "redis" and "redis+wasm".
func twice(list []backend) (all []backend) {
	for _, b := range list {
		w := b
		w.wasm = true
		all = append(all, b, w)
	}
	return all
}

// column is the name of the backend with its engine.
func (b backend) column() string {
	if b.wasm {
		return b.name + "+wasm"
	}
	return b.name
}

// sameBytesAsWebAssembly holds the module to the core's bytes, and has one
// session go to and fro between servers of both kinds. conformance/vectors has
// some hundred scenarios more.
func sameBytesAsWebAssembly(t *testing.T, b backend) {
	const now = 500_000 * core.Hour
	keys := core.KeyRing{{Bytes: key}}
	native, err := core.NewMachine(core.Policy{}, keys)
	require.NoError(t, err)
	e, err := engine()
	require.NoError(t, err)
	guest, err := e.Configure(core.Policy{}, keys)
	require.NoError(t, err)
	var saved [2]core.Effects
	for i, m := range []hosts.Engine{native, guest} {
		s := m.New(core.Request{Tenant: "acme"})
		require.NoError(t, s.Login("ann", 0))
		saved[i], err = m.Commit(s, now, core.Seed{1})
		require.NoError(t, err)
	}
	require.Equal(t, saved[0].Save, saved[1].Save)
	require.Equal(t, saved[0].Cookies, saved[1].Cookies)

	store := b.open(t, t.TempDir())
	plain, wasm := b, b
	plain.wasm, wasm.wasm = false, true
	here, there := open(t, plain, setup{store: store}), open(t, wasm, setup{store: store})
	for _, style := range styles {
		ann := here.browser()
		id := ann.login(style, "ann")
		require.Equal(t, id, ann.to(there).get(style+"/me").is(http.StatusOK).id())
		require.Equal(t, 1.0, ann.to(there).post(style+"/count").is(http.StatusOK).field("n"))
		require.Equal(t, 2.0, ann.to(here).post(style+"/count").is(http.StatusOK).field("n"))
		ann.to(there).post(style + "/logout").is(http.StatusOK)
		ann.to(here).get(style + "/me").is(http.StatusUnauthorized)
	}
}
