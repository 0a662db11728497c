package hosts_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// ender is memory that ends many sessions in one command.
type ender struct {
	*cachestore.Store
	fails func(ids []core.ID) error
	ended [][]core.ID // by command
}

func (e *ender) DeleteMany(ctx context.Context, ids []core.ID) []error {
	e.ended = append(e.ended, ids)
	answers := make([]error, len(ids))
	var err error
	if e.fails != nil {
		err = e.fails(ids)
	}
	for i, id := range ids {
		if answers[i] = err; err == nil {
			answers[i] = e.Store.Delete(ctx, id)
		}
	}
	return answers
}

func (e *ender) Delete(ctx context.Context, id core.ID) error {
	return e.DeleteMany(ctx, []core.ID{id})[0]
}

// TestRevokeEndsPagesAtOnce, and one by one what a page could not.
func TestRevokeEndsPagesAtOnce(t *testing.T) {
	for name, fails := range map[string]func(ids []core.ID) error{
		"all goes well": nil,
		"no batch can be ended": func(ids []core.ID) error {
			if len(ids) > 1 {
				return hosts.ErrBatch
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &ender{Store: memory(t), fails: fails}
			m := open(t, e, hosts.Config{})
			ids := m.signedIn(450, "ann")
			ended, err := m.Revoke(t.Context(), hosts.Query{User: "ann"}, ids[7])
			require.NoError(t, err)
			require.Equal(t, len(ids)-1, ended)
			for n, id := range ids {
				if n != 7 {
					m.gone(id)
				}
			}
			m.data(ids[7])
			if fails == nil {
				require.Len(t, e.ended, 3)
			}
		})
	}
}

// TestRevokeReportsWhatItCouldNotEnd, having ended the others.
func TestRevokeReportsWhatItCouldNotEnd(t *testing.T) {
	e := &ender{Store: memory(t)}
	m := open(t, e, hosts.Config{})
	ids := m.signedIn(20, "ann")
	bad := errors.New("held by somebody")
	e.fails = func(some []core.ID) error {
		if len(some) > 1 {
			return hosts.ErrBatch
		}
		if some[0] == ids[3] {
			return bad
		}
		return nil
	}
	_, err := m.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.ErrorIs(t, err, bad)
	_, err = m.Revoke(t.Context(), hosts.Query{User: "ann"}, ids[3])
	require.NoError(t, err)
	m.data(ids[3])
}
