package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rockstar-web/sessions/core"
)

// ready asks the store for a session that cannot be there: 200 if it answers so.
func (g *Gateway) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	_, err := g.o.Middleware.Manager().Store().Load(ctx, core.ID{0xff})
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		g.o.Logger.Warn("gateway: not ready", "error", err)
		http.Error(w, "the session store does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}
