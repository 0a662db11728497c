package mission

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// Headers between the tests and their sites.
const (
	callHeader    = "Mission-Call"    // the number of a handler of the moment
	addressHeader = "Mission-Address" // who the request is from, in place of the loopback address
)

// month is what remember-me asks for.
const month = 30 * 24 * time.Hour

// Routes exist twice, under these prefixes: by the manager's verbs as the guide
// writes them, and under the middleware.
var styles = []string{"/verbs", "/middleware"}

// routes are the guide's handlers.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /verbs/login", s.by(s.login))
	mux.Handle("GET /verbs/me", s.by(s.me))
	mux.Handle("POST /verbs/count", s.by(s.count))
	mux.Handle("POST /verbs/logout", s.by(s.logout))
	mux.Handle("POST /verbs/refresh", s.by(s.refresh))
	mux.Handle("POST /middleware/login", s.within(visitLogin))
	mux.Handle("GET /middleware/me", s.within(visitMe))
	mux.Handle("POST /middleware/count", s.within(visitCount))
	mux.Handle("POST /middleware/logout", s.within(visitLogout))
	mux.Handle("POST /middleware/refresh", s.within(visitRefresh))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get(addressHeader); a != "" {
			r.RemoteAddr = a
		}
		if h, ok := s.calls.LoadAndDelete(r.Header.Get(callHeader)); ok {
			h.(http.HandlerFunc)(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// form is an answer that knows its request's query.
type form struct {
	http.ResponseWriter
	request *http.Request
}

func asked(w http.ResponseWriter, name string) string {
	return w.(form).request.URL.Query().Get(name)
}

func answerJSON(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members) // the test sees what is missing
}

// refuse answers 401 where there is no session, and 503 where none is known.
func refuse(w http.ResponseWriter, err error) {
	var refusal *core.Refusal
	status := http.StatusServiceUnavailable
	if errors.As(err, &refusal) {
		status = http.StatusUnauthorized
	}
	answerJSON(w, status, map[string]any{"error": nethttp.Explain(err), "detail": err.Error(), "reason": core.ReasonOf(err).String()})
}

func (s *site) login(x *hosts.Request, w http.ResponseWriter) {
	m := x.Manager()
	user := asked(w, "user")
	if user == "" || asked(w, "password") == "wrong" {
		answerJSON(w, http.StatusUnauthorized, map[string]any{"error": "Invalid credentials"})
		return
	}
	old, err := m.GetSessionFromCookie(x)
	if err == nil {
		err = m.Destroy(x, old.ID)
	}
	if errors.Is(err, hosts.ErrUnavailable) {
		refuse(w, err)
		return
	}
	session, err := m.Create(x)
	if err != nil {
		refuse(w, err)
		return
	}
	session.UserID = user
	session.Data["user_id"] = user
	session.Data["login_time"] = s.clock.time()
	if asked(w, "remember_me") == "true" {
		session.ExpiresAt = s.clock.time().Add(month)
	}
	if err := errors.Join(m.Save(x, session), m.SetCookie(x, session)); err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"message": "Login successful", "session_id": session.ID})
}

func (s *site) me(x *hosts.Request, w http.ResponseWriter) {
	session, err := x.Manager().GetSessionFromCookie(x)
	if err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"session_id": session.ID, "user": session.UserID})
}

func (s *site) count(x *hosts.Request, w http.ResponseWriter) {
	m := x.Manager()
	session, err := m.GetSessionFromCookie(x)
	fresh := err != nil
	if fresh {
		if session, err = m.Create(x); err != nil {
			refuse(w, err)
			return
		}
	}
	n, _ := session.Data["n"].(int)
	session.Data["n"] = n + 1
	err = m.Save(x, session)
	if err == nil && fresh {
		err = m.SetCookie(x, session)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"n": n + 1, "session_id": session.ID})
}

func (s *site) logout(x *hosts.Request, w http.ResponseWriter) {
	m := x.Manager()
	session, err := m.GetSessionFromCookie(x)
	var refusal *core.Refusal
	if errors.As(err, &refusal) {
		err = m.ClearCookie(x)
	} else if err == nil {
		err = m.Destroy(x, session.ID)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"message": "Logged out"})
}

func (s *site) refresh(x *hosts.Request, w http.ResponseWriter) {
	m := x.Manager()
	session, err := m.GetSessionFromCookie(x)
	if err == nil {
		err = m.Refresh(x, session.ID)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"message": "Session refreshed"})
}

func visitLogin(v *nethttp.Session, w http.ResponseWriter) {
	user, lifetime := asked(w, "user"), time.Duration(0)
	if user == "" || asked(w, "password") == "wrong" {
		answerJSON(w, http.StatusUnauthorized, map[string]any{"error": "Invalid credentials"})
		return
	}
	if asked(w, "remember_me") == "true" {
		lifetime = month
	}
	if err := errors.Join(v.Login(user, lifetime), v.Put("user_id", user)); err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"message": "Login successful"})
}

func visitMe(v *nethttp.Session, w http.ResponseWriter) {
	if !v.Stored() {
		refuse(w, v.Refusal())
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"session_id": v.ID(), "user": v.User()})
}

func visitCount(v *nethttp.Session, w http.ResponseWriter) {
	value, _ := v.Get("n")
	n, _ := value.(int)
	if err := v.Put("n", n+1); err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"n": n + 1})
}

func visitLogout(v *nethttp.Session, w http.ResponseWriter) {
	if err := v.Destroy(); err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"message": "Logged out"})
}

func visitRefresh(v *nethttp.Session, w http.ResponseWriter) {
	if !v.Stored() {
		refuse(w, v.Refusal())
		return
	}
	if err := v.Refresh(); err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"message": "Session refreshed"})
}

// login signs a user in, by verbs or under the middleware, and returns the ID.
func (b *browser) login(style, user string) core.ID {
	b.site.t.Helper()
	b.post(style + "/login?user=" + user).is(http.StatusOK)
	return b.get(style + "/me").is(http.StatusOK).id()
}

// session loads a visitor's session inside a handler.
func (s *site) session(x *hosts.Request) *hosts.Session {
	session, err := s.manager.GetSessionFromCookie(x)
	require.NoError(s.t, err)
	return session
}
