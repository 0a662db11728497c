package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// tunnel is a signed-in request whose answer may go on for long: a WebSocket, or a
// stream. It ends when its session does. A request that is answered at once is not
// watched.
type tunnel struct {
	w       http.ResponseWriter
	session *core.Session
	cancel  context.CancelCauseFunc

	mu    sync.Mutex
	watch *hosts.Watch
	over  bool
}

type tunnelKey struct{}

// tunnel has a request end with its session, where the middleware's options say so.
// The caller calls end.
func (g *Gateway) tunnel(w http.ResponseWriter, r *http.Request, s *core.Session) (inner *http.Request, end func()) {
	if !g.o.Middleware.ClosesEnded() {
		return r, func() {}
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	t := &tunnel{w: w, session: s, cancel: cancel}
	return r.WithContext(context.WithValue(ctx, tunnelKey{}, t)), t.end
}

// opens begins to watch the session of an answer that goes on.
func (g *Gateway) opens(a *http.Response) {
	t, ok := a.Request.Context().Value(tunnelKey{}).(*tunnel)
	if !ok || a.StatusCode != http.StatusSwitchingProtocols && a.ContentLength >= 0 {
		return
	}
	watch, err := g.o.Middleware.Manager().Watch(t.session)
	if err != nil {
		g.o.Middleware.Manager().Failed(err)
		g.o.Logger.Warn("gateway: a tunnel does not end with its session", "session", t.session.ID().String(), "error", err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		watch.Stop()
		return
	}
	t.watch = watch
	watch.OnEnd(func() {
		t.cancel(nethttp.ErrSessionEnded)
		_ = http.NewResponseController(t.w).SetWriteDeadline(time.Now()) // of a visitor who does not read
	})
}

func (t *tunnel) end() {
	t.mu.Lock()
	t.over = true
	if t.watch != nil {
		t.watch.Stop()
	}
	t.mu.Unlock()
	t.cancel(context.Canceled)
}
