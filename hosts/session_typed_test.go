package hosts_test

import (
	"errors"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/values"
	"github.com/stretchr/testify/require"
)

// failing takes and gives nothing.
type failing struct{ err error }

func (f failing) Put(string, any) error   { return f.err }
func (f failing) Get(string) (any, error) { return nil, f.err }
func (f failing) Update(_ string, fn hosts.UpdateFunc) error {
	_, err := fn("a text", true)
	return err
}

func TestErrorsOfTheSessionPassThrough(t *testing.T) {
	down := errors.New("down")
	_, err := hosts.Get[int](failing{down}, "v")
	require.ErrorIs(t, err, down)
	require.ErrorIs(t, hosts.Put(failing{down}, "v", 1), down)
}

func TestErrorsOfTheTranslation(t *testing.T) {
	s := new(hosts.Session)
	_, err := hosts.Get[int](s, "v")
	require.ErrorIs(t, err, hosts.ErrNoValue)
	require.NoError(t, hosts.Put(s, "v", "a text"))
	for _, err := range []error{
		second(hosts.Get[int](s, "v")),
		hosts.Update(failing{}, "v", func(n int) (int, error) { return n + 1, nil }),
	} {
		require.ErrorIs(t, err, hosts.ErrValueType)
		require.ErrorIs(t, err, values.ErrType, "it is the same")
		require.ErrorContains(t, err, `session value "v": stored as string, wanted as int`)
	}
	for _, err := range []error{
		hosts.Put(s, "v", make(chan int)),
		hosts.Update(failing{}, "v", func(any) (any, error) { return struct{}{}, nil }),
	} {
		require.ErrorIs(t, err, core.ErrType)
		require.ErrorContains(t, err, `session value "v": `)
	}
	require.Equal(t, "a text", s.Data["v"], "what is refused changes nothing")
}

func second[T any](_ T, err error) error { return err }
