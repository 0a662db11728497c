package nethttp

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// A round is one request on its way through Handler: its context and its
// response writer in one small allocation. Handlers that time out go on using
// it while the server is done with it, so nothing of it is pooled.
type round struct {
	http.ResponseWriter
	host    *Host
	request *http.Request
	visited atomic.Pointer[Visit] // nil until the session is asked for
	sent    atomic.Bool           // the header is on its way
	over    atomic.Bool           // the handler has returned, or was given up
}

// roundContext is the round as the request's context.
type roundContext round

type roundKey struct{ host *Host } // a nil host: the innermost round

// Value finds the round itself and its exchange, and else asks the request's own context.
func (c *roundContext) Value(key any) any {
	if k, ok := key.(roundKey); ok && (k.host == nil || k.host == c.host) {
		return (*round)(c)
	}
	if key == (hosts.ExchangeKey{}) {
		return &(*round)(c).visit().x
	}
	return c.request.Context().Value(key)
}

// The rest of context.Context is the request's own.
func (c *roundContext) Deadline() (time.Time, bool) { return c.request.Context().Deadline() }
func (c *roundContext) Done() <-chan struct{}       { return c.request.Context().Done() }
func (c *roundContext) Err() error                  { return c.request.Context().Err() }

func (h *Host) roundOf(r *http.Request) *round {
	rd, _ := r.Context().Value(roundKey{h}).(*round)
	return rd
}

// ErrNoHandler means that a request did not come through Host.Handler.
var ErrNoHandler = errors.New("no session on this request: wrap the handler in (*nethttp.Host).Handler")

// Session returns the session of a request that came through a Handler, the
// innermost if there are several. A visitor without a live session gets a new
// one, of which nothing is stored until something is in it. The error wraps
// hosts.ErrUnavailable when the store cannot be asked.
func Session(r *http.Request) (*Visit, error) { return (*Host)(nil).Session(r) }

// Session returns the session of this host, where several hosts share a
// request.
func (h *Host) Session(r *http.Request) (*Visit, error) {
	rd := h.roundOf(r)
	if rd == nil {
		return nil, ErrNoHandler
	}
	v := rd.visit()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v, v.load()
}

func (rd *round) visit() *Visit {
	if v := rd.visited.Load(); v != nil {
		return v
	}
	v := &Visit{round: rd}
	rd.host.fill(&v.x, rd.request)
	v.x.Reply = v.reply
	rd.visited.CompareAndSwap(nil, v)
	return rd.visited.Load()
}

// begin is called before the first byte: it stores what changed and completes
// the header, or sends the error page, after which nothing may follow.
func (rd *round) begin(hijack bool) error {
	v := rd.visited.Load()
	if rd.sent.Load() || v == nil {
		rd.sent.Store(true)
		if v != nil {
			return v.dead
		}
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.commit(hijack)
	if err != nil && hijack {
		return err
	}
	if err == nil && v.used {
		v.addVary(rd.ResponseWriter.Header())
	}
	rd.sent.Store(true)
	if err != nil {
		v.dead = err
		clear(rd.ResponseWriter.Header())
		rd.host.o.Failed(rd.ResponseWriter, rd.request, err)
	}
	return err
}

// finish is called when the handler has returned.
func (rd *round) finish() {
	err := rd.begin(false)
	rd.over.Store(true)
	if v := rd.visited.Load(); v != nil && err == nil {
		v.close()
	}
}

func (v *Visit) addVary(h http.Header) {
	if len(h["Vary"]) == 0 {
		v.vary[0] = "Cookie"
		h["Vary"] = v.vary[:1:1]
		return
	}
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if f := strings.TrimSpace(field); f == "*" || strings.EqualFold(f, "Cookie") {
				return
			}
		}
	}
	h.Add("Vary", "Cookie")
}

// reply puts a field on the answer for the manager. A cookie that a later one
// of ours replaces is taken back.
func (v *Visit) reply(field, value string) error {
	if v.round.sent.Load() {
		return ErrHeadersSent
	}
	h := v.round.ResponseWriter.Header()
	if field != "Set-Cookie" {
		h.Set(field, value)
		return nil
	}
	scope := cookieScope(value)
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(old string) bool {
		return slices.Contains(v.cookies, old) && cookieScope(old) == scope
	})
	h.Add(field, value)
	v.cookies = append(v.cookies, value)
	return nil
}

// cookieScope returns what tells one cookie of ours from another in a browser.
func cookieScope(field string) string {
	_, attributes, _ := strings.Cut(field, ";")
	for _, end := range []string{"; Max-Age", "; HttpOnly", "; Secure", "; SameSite"} {
		attributes, _, _ = strings.Cut(attributes, end)
	}
	return attributes
}

// Errors of a Visit.
var (
	// ErrHeadersSent: it needs a cookie, and the answer has begun without it.
	ErrHeadersSent = errors.New("session cookie can no longer be set: the answer has begun; sign in, renew and begin sessions before writing")
	// ErrCommitted: the request is over, and what changes now is stored nowhere.
	ErrCommitted = errors.New("session was committed and its request is over: the change is not stored")
)

// needsCookie reports whether storing s is of no use without a cookie.
func needsCookie(s *core.Session) bool { return s.State() == core.StateNew }
