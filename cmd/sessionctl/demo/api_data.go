package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Errors of JSON that a session cannot keep exactly.
var (
	errNotJSON = errors.New("the body is not the JSON that this route takes")
	errTrail   = errors.New("the body holds more than one JSON value")
	errRange   = errors.New("a number is outside of int64, uint64 and float64 and would not come back as it is")
)

// readJSON reads the one JSON value that the body is. With numbers, they come
// as they are written.
func readJSON(r *http.Request, into any, numbers bool) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("the body cannot be read: %w", err)
	}
	if !utf8.Valid(body) {
		return errNotJSON
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if numbers {
		d.UseNumber()
	}
	if err := d.Decode(into); err != nil {
		return errNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return errTrail
	}
	return nil
}

// exact gives the numbers in v their types: int, or else int64 or uint64 for
// integers, float64 for all with a fraction or an exponent.
func exact(v any) (_ any, err error) {
	switch v := v.(type) {
	case json.Number:
		return number(v.String())
	case []any:
		for i := range v {
			if v[i], err = exact(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range v {
			if v[name], err = exact(v[name]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func number(text string) (any, error) {
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, errRange
		}
		return f, nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n, nil
	}
	return nil, errRange
}

// sessionView is a session as GET /api/session shows it.
type sessionView struct {
	ID            core.ID           `json:"id"`
	User          string            `json:"user"`
	Tenant        string            `json:"tenant"`
	CreatedAt     time.Time         `json:"created_at"`
	LoginAt       time.Time         `json:"login_at,omitzero"`
	LastSeenAt    time.Time         `json:"last_seen_at"`
	ExpiresAt     time.Time         `json:"expires_at"`
	IdleExpiresAt time.Time         `json:"idle_expires_at"`
	IPAddress     string            `json:"ip_address"`
	UserAgent     string            `json:"user_agent"`
	DataSize      int               `json:"data_size"`   // bytes
	CookieSize    int               `json:"cookie_size"` // bytes
	Data          map[string]any    `json:"data"`
	Types         map[string]string `json:"types"` // the Go type of each value
}

func (s *site) apiSession(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	out := sessionView{
		ID: v.ID(), User: v.User(), Tenant: v.Tenant(),
		CreatedAt: v.CreatedAt().UTC(), LoginAt: v.LoginAt().UTC(), LastSeenAt: v.LastSeenAt().UTC(),
		ExpiresAt: v.ExpiresAt().UTC(), IdleExpiresAt: v.IdleExpiresAt().UTC(),
		IPAddress: v.IPAddress().String(), UserAgent: v.UserAgent(),
		DataSize: v.Size(), CookieSize: s.cookieSize(r), Data: map[string]any{}, Types: map[string]string{},
	}
	for _, name := range v.Names() {
		value, err := v.Get(name)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		out.Data[name], out.Types[name] = value, typeName(value)
	}
	writeJSON(w, http.StatusOK, out)
}

// cookieSize is what the browser sends with every request: name, "=" and value.
func (s *site) cookieSize(r *http.Request) int {
	c, err := r.Cookie(s.manager.Policy().CookieName)
	if err != nil {
		return 0
	}
	return len(c.Name) + 1 + len(c.Value)
}
