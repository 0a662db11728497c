package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// notes keep the use of sessions, so that nobody idles out who is using them
// through the gateway alone. A note also says when the session ends without
// further use, and the gateway must not let it live for longer than the origin
// does: without an idle timeout it notes nothing, and with one that is longer
// than the origin's nothing either.
type notes struct {
	idle  core.Time // 0: none
	log   *slog.Logger
	warns sync.Once
}

type noteKey struct{}

// expect marks a request whose session's use is to be noted once the origin
// answers. Then its own note, which may bring a cookie, came first.
func (n *notes) expect(r *http.Request, x *hosts.Request) *http.Request {
	if n.idle == 0 {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), noteKey{}, x))
}

// keep notes the use, if that is due and the origin has not.
func (n *notes) keep(ctx context.Context, m *hosts.Manager) {
	if x, ok := ctx.Value(noteKey{}).(*hosts.Request); ok {
		n.note(m, x)
	}
}

func (n *notes) note(m *hosts.Manager, x *hosts.Request) {
	s := x.Current()
	if n.lengthens(s) {
		n.warns.Do(func() {
			n.log.Warn("gateway: the origin ends idle sessions sooner than the idle timeout here; use through the gateway alone is not noted; give both the same", "session", s.ID().String())
		})
		return
	}
	_, _ = m.Commit(x, s) // the manager reports a failure; this request only reads
}

// lengthens reports whether a note would let the session live for longer than the
// server that wrote its record would without further use.
func (n *notes) lengthens(s *core.Session) bool {
	return s.ExpiresAt() != s.Deadline() && s.SeenAt()+n.idle > s.ExpiresAt()
}
