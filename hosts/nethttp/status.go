package nethttp

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Status is what StatusHandler answers, as JSON.
type Status struct {
	SignedIn bool `json:"signed_in"`
	// IdleSeconds are left until the session ends if nobody uses it, and AbsoluteSeconds
	// until it ends whatever happens, in whole seconds, rounded down. Both are 0 where
	// nothing is stored. Without an idle timeout they are equal.
	IdleSeconds     int64 `json:"idle_seconds"`
	AbsoluteSeconds int64 `json:"absolute_seconds"`
	// Reason is that of core.ReasonOf where there is no session: "idle", "expired",
	// "unknown_session" after a logout elsewhere, "none" for who shows no cookie.
	Reason string `json:"reason,omitempty"`
}

// StatusHandler reports how long the session lasts, so that a page can warn its reader
// in time: see ScriptHandler. Mount it at a path of the application, not behind
// Require.
//
// GET and HEAD answer with a [Status] and change nothing: no use is recorded, no cookie
// is set, and the session may come from a cache in front of the store. POST says that
// the reader wants to stay: it counts as use of the session, and answers with the new
// times. With Options.ExtendLifetime it is a refresh, too. A POST from another site or
// origin gets 403, unless Options.CrossOrigin trusts it. If the store does not answer,
// Options.Failed does, by default with 503, and never with "signed out".
func (h *Middleware) StatusHandler() http.Handler {
	return h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		NoStore(w.Header())
		switch {
		case r.Method == http.MethodPost && h.o.CrossOrigin.Check(r) != nil:
			http.Error(w, "Another site sent this request.", http.StatusForbidden)
			return
		case r.Method != http.MethodPost && !reads(r):
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "Only GET, HEAD and POST are answered here.", http.StatusMethodNotAllowed)
			return
		}
		rq := requestOf(r.Context(), h.manager)
		s, err := rq.status(r.Method == http.MethodPost)
		if err != nil {
			rq.abandon(err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s) // the client has gone
	}))
}

// status reads how long the session lasts, after it was extended or quietly.
func (rq *request) status(extend bool) (s Status, err error) {
	v, m := rq.session(), rq.middleware.manager
	if !extend {
		rq.quieten()
	}
	rq.mu.Lock()
	defer rq.mu.Unlock()
	if err := v.glance(extend); err != nil {
		return s, err
	}
	if extend {
		if err := m.Extend(&v.x, rq.middleware.o.ExtendLifetime); err != nil {
			return s, err
		}
	}
	current := v.current()
	idle, absolute := m.TimeLeft(current)
	s = Status{SignedIn: current.User() != "", IdleSeconds: int64(idle / time.Second), AbsoluteSeconds: int64(absolute / time.Second)}
	if current.State() != core.StateActive {
		s.Reason = core.ReasonOf(v.x.Refusal()).String()
	}
	return s, nil
}

// glance is load, and sets no cookie unless it may: neither is one cleared, nor does the
// session of another library move in.
func (v *Session) glance(cookies bool) error {
	if !cookies {
		reply, arriving := v.x.Reply, v.x.Arriving
		v.x.Reply, v.x.Arriving = nil, nil
		defer func() { v.x.Reply, v.x.Arriving = reply, arriving }()
	}
	return v.load((*requestContext)(v.request))
}
