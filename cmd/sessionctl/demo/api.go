package demo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// maxSlow is the longest that POST /api/slow waits.
const maxSlow = 30 * time.Second

// slowRead is the step of the feed that says how far a slow request is.
const slowRead = "slow request has read the session"

// apiRoutes enters every route, and for each path an answer to other methods.
func (s *site) apiRoutes(mux *http.ServeMux) {
	allowed := map[string][]string{}
	for _, route := range []struct {
		method, path string
		handler      http.HandlerFunc
	}{
		{"POST", "/api/login", s.apiLogin},
		{"POST", "/api/logout", s.apiLogout},
		{"POST", "/api/refresh", s.visit(s.apiRefresh)},
		{"GET", "/api/session", s.visit(s.apiSession)},
		{"PUT", "/api/data/{name}", s.visit(s.apiPut)},
		{"DELETE", "/api/data/{name}", s.visit(s.apiDelete)},
		{"POST", "/api/add/{name}", s.visit(s.apiAdd)},
		{"POST", "/api/take/{name}", s.visit(s.apiTake)},
		{"POST", "/api/slow", s.visit(s.apiSlow)},
		{"POST", "/api/prove/start", s.apiProveStart},
		{"POST", "/api/prove/add", s.visit(s.apiProveAdd)},
		{"GET", "/api/prove/counts", s.visit(s.apiProveCounts)},
		{"GET", "/api/prove/server", s.apiProveServer},
		{"GET", "/api/events", s.visit(s.apiEvents)},
		{"GET", "/healthz", s.healthz},
	} {
		mux.HandleFunc(route.method+" "+route.path, route.handler)
		allowed[route.path] = append(allowed[route.path], route.method)
	}
	for path, methods := range allowed {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			apiError(w, http.StatusMethodNotAllowed, "Allowed here: "+strings.Join(methods, ", "), "method")
		})
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		apiError(w, http.StatusNotFound, "No such route", "not_found")
	})
}

// visit hands a handler its session, where there is one.
func (s *site) visit(next func(http.ResponseWriter, *http.Request, *nethttp.Session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		switch {
		case err != nil:
			s.failed(w, r, err)
		case !v.Stored():
			s.unauthorized(w, r, v.Refusal())
		default:
			next(w, r, v)
		}
	}
}

func (s *site) apiLogin(w http.ResponseWriter, r *http.Request) {
	var in struct {
		User, Password string
		Remember       bool
	}
	if err := readJSON(r, &in, false); err != nil {
		s.badBody(w, err)
		return
	}
	account, ok := authenticate(in.User, in.Password)
	if !ok {
		apiError(w, http.StatusUnauthorized, "Invalid credentials", "bad_credentials")
		return
	}
	v, err := nethttp.From(r)
	if err == nil {
		err = s.signIn(v, in.User, account, in.Remember)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"message": "Login successful", "user": in.User, "roles": account.roles})
}

func (s *site) apiLogout(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err == nil {
		err = v.Destroy()
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Logged out"})
}

func (s *site) apiRefresh(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	if err := v.Refresh(); err != nil {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Session refreshed"})
}

func (s *site) apiPut(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	var value any
	err := readJSON(r, &value, true)
	if err == nil {
		value, err = exact(value)
	}
	if err != nil {
		s.badBody(w, err)
		return
	}
	if err := v.Put(r.PathValue("name"), value); err != nil {
		s.badValue(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Data saved"})
}

func (s *site) apiDelete(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	if err := v.Delete(r.PathValue("name")); err != nil {
		s.badValue(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Data deleted"})
}

// apiAdd adds to a counter. All additions count, in any order.
func (s *site) apiAdd(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	n, err := strconv.ParseInt(cmp.Or(r.FormValue("n"), "1"), 10, 64)
	if err != nil {
		apiError(w, http.StatusBadRequest, "n must be an integer of 64 bits", "bad_value")
		return
	}
	sum, err := v.Add(r.PathValue("name"), n)
	switch {
	case errors.Is(err, core.ErrCounter): // what is there came by another route
		apiError(w, http.StatusConflict, err.Error(), "conflict")
	case err != nil:
		s.badValue(w, r, err)
	default:
		writeJSON(w, http.StatusOK, map[string]any{"message": "Added", "sum": sum})
	}
}

// apiTake removes a value and shows it, to one request only.
func (s *site) apiTake(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	value, err := v.Take(r.PathValue("name"))
	switch {
	case errors.Is(err, hosts.ErrNoValue):
		apiError(w, http.StatusNotFound, "There is no such value, or another request took it", "not_found")
	case err != nil:
		s.badValue(w, r, err)
	default:
		writeJSON(w, http.StatusOK, map[string]any{"message": "Taken", "value": value})
	}
}

// apiSlow is a request that takes its time between loading its session and
// changing it, so that others change or end it meanwhile.
func (s *site) apiSlow(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	ms, err := strconv.ParseUint(r.FormValue("ms"), 10, 32)
	duration := time.Duration(ms) * time.Millisecond
	if err != nil || duration > maxSlow {
		apiError(w, http.StatusBadRequest, fmt.Sprintf("ms must be 0 to %d", maxSlow.Milliseconds()), "bad_value")
		return
	}
	s.feed.add(step{id: v.ID(), Kind: slowRead, User: v.User(), At: s.now()})
	if !wait(r, duration) {
		return
	}
	if name := r.FormValue("set"); name != "" {
		if err := v.Put(name, 1); err != nil {
			s.badValue(w, r, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"message": "Done", "waited_ms": ms})
}

// healthz asks the store for a session that there cannot be.
func (s *site) healthz(w http.ResponseWriter, r *http.Request) {
	if _, err := s.manager.Store().Load(r.Context(), core.ID{1}); err != nil && !errors.Is(err, core.ErrNotFound) {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// badValue distinguishes a value that the session does not take from a session that is gone.
func (s *site) badValue(w http.ResponseWriter, r *http.Request, err error) {
	switch status, _ := nethttp.Failure(err); status {
	case http.StatusBadRequest:
		apiError(w, status, err.Error(), "bad_value")
	case http.StatusRequestEntityTooLarge:
		apiError(w, status, err.Error(), "too_large")
	default:
		s.failed(w, r, err)
	}
}

func (s *site) badBody(w http.ResponseWriter, err error) {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		apiError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes", long.Limit), "too_large")
		return
	}
	apiError(w, http.StatusBadRequest, err.Error(), "bad_json")
}

func apiError(w http.ResponseWriter, status int, text, reason string) {
	writeJSON(w, status, map[string]string{"error": text, "reason": reason})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"The answer cannot be written as JSON","reason":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client has gone, or the error page was sent
}
