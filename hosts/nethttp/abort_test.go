package nethttp_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// abandon sends a request and goes away when the store is at the gate; then
// the store goes on. It returns when the handler has ended.
func (b *browser) abandon(g *gate, ended <-chan bool, f func(v *nethttp.Session) error) {
	t := b.s.t
	ctx, leave := context.WithCancel(t.Context())
	gone, noticed := make(chan answer, 1), make(chan struct{})
	go func() {
		gone <- b.send(ctx, http.MethodPost, func(w http.ResponseWriter, r *http.Request) {
			context.AfterFunc(r.Context(), func() { close(noticed) })
			b.s.with(func(v *nethttp.Session, _ http.ResponseWriter) error { return f(v) })(w, r)
		})
	}()
	await(t, g.arrived)
	leave()
	require.ErrorIs(t, await(t, gone).err, context.Canceled)
	await(t, noticed) // by the server
	close(g.opened)
	await(t, ended)
	b.s.mend()
}

// TestAnAbortedLoginIsWhole, and an aborted logout too.
func TestAnAbortedLoginIsWhole(t *testing.T) {
	each(t, func(t *testing.T, o setup) {
		ended := make(chan bool, 64)
		o.outside = telling(ended)
		s := open(t, o)
		b := s.browser()
		b.abandon(s.stopBefore(conformance.Save), ended, func(v *nethttp.Session) error { return v.Login("alice", 0) })
		records := s.all()
		require.Len(t, records, 1)
		require.Equal(t, "alice", records[0].User)

		b = s.browser()
		id := b.login("bob")
		await(t, ended)
		await(t, ended)
		b.abandon(s.stopBefore(conformance.Delete), ended, func(v *nethttp.Session) error { return v.Destroy() })
		_, lives := s.stored(id)
		require.False(t, lives)
		require.ErrorIs(t, b.refusal(), core.ErrNotFound)
		await(t, ended)

		b = s.browser()
		b.login("carol")
		await(t, ended)
		await(t, ended)
		b.abandon(s.stopBefore(conformance.Save), ended, func(v *nethttp.Session) error { return v.Put("n", 1) })
		require.Equal(t, 1, b.value("n"))
	})
}
