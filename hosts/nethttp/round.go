package nethttp

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// A round is one request on its way through Handler: its context and its
// response writer in one small allocation. Handlers that time out go on using
// it while the server is done with it, so nothing of it is pooled, and the
// header of the answer is touched only from begin.
type round struct {
	http.ResponseWriter
	host    *Host
	request *http.Request         // as it came
	outer   context.Context       // of that request, which is written to at the end
	inner   *http.Request         // the same with this round as its context
	given   http.Header           // what was on the answer before the handler's turn
	visited atomic.Pointer[Visit] // nil until the session is asked for

	mu   sync.Mutex  // guards the Visit and the way to the first byte
	sent atomic.Bool // the header is on its way; set under mu
	over atomic.Bool // the handler has returned, panicked, or was given up
}

// roundRoom is a round with its request, which has the cookie and is not to be
// printed with it, in one allocation.
type roundRoom struct {
	round
	inner http.Request
}

func newRound(h *Host, w http.ResponseWriter, r *http.Request) *round {
	room := &roundRoom{round: round{ResponseWriter: w, host: h, request: r, outer: r.Context()}}
	rd := &room.round
	rd.inner = &room.inner
	room.inner = *r.WithContext((*roundContext)(rd)) // the copy stays on the stack
	if header := w.Header(); len(header) > 0 {
		rd.given = maps.Clone(header)
	}
	return rd
}

// roundContext is the round as the request's context.
type roundContext round

// roundKey finds the round of a manager; of no manager: the innermost.
type roundKey struct{ manager *hosts.Manager }

// Value finds the round itself and its exchange, and else asks the request's own context.
func (c *roundContext) Value(key any) any {
	if k, ok := key.(roundKey); ok && (k.manager == nil || k.manager == c.host.manager) {
		return (*round)(c)
	}
	if key == (hosts.ExchangeKey{}) {
		return &(*round)(c).visit().x
	}
	return c.outer.Value(key)
}

// The rest of context.Context is the request's own.
func (c *roundContext) Deadline() (time.Time, bool) { return c.outer.Deadline() }
func (c *roundContext) Done() <-chan struct{}       { return c.outer.Done() }
func (c *roundContext) Err() error                  { return c.outer.Err() }

func roundOf(ctx context.Context, m *hosts.Manager) *round {
	rd, _ := ctx.Value(roundKey{m}).(*round)
	return rd
}

// ErrNoHandler means that a request did not come through Host.Handler.
var ErrNoHandler = errors.New("no session on this request: wrap the handler in (*nethttp.Host).Handler")

// Session returns the session of a request that came through a Handler, the
// innermost if there are several. A visitor without a live session gets a new
// one, of which nothing is stored until something is in it. The error wraps
// hosts.ErrUnavailable when the store cannot be asked before r's context ends;
// the Visit then returns it from every verb.
func Session(r *http.Request) (*Visit, error) { return session(r.Context(), nil) }

// FromContext is Session for code that has the request's context alone.
func FromContext(ctx context.Context) (*Visit, error) { return session(ctx, nil) }

// Session is the function of that name where several hosts share a request:
// it returns the session of this one.
func (h *Host) Session(r *http.Request) (*Visit, error) { return session(r.Context(), h.manager) }

func session(ctx context.Context, m *hosts.Manager) (*Visit, error) {
	rd := roundOf(ctx, m)
	if rd == nil {
		return nil, ErrNoHandler
	}
	v := rd.visit()
	rd.mu.Lock()
	defer rd.mu.Unlock()
	return v, v.load(ctx)
}

// visitRoom is a Visit with what it only points to, so that no cookie is in what
// is printed, in one allocation: over two pointers, see core.Secret.
type visitRoom struct {
	Visit
	cookies hosts.CookieRoom
	at      *[]field
	fields  []field
}

func (rd *round) visit() *Visit {
	if v := rd.visited.Load(); v != nil {
		return v
	}
	rd.mu.Lock()
	defer rd.mu.Unlock()
	if v := rd.visited.Load(); v != nil {
		return v
	}
	room := &visitRoom{Visit: Visit{round: rd}}
	v := &room.Visit
	room.at = &room.fields
	v.fields = &room.at
	rd.host.fill(&v.x, rd.request, &room.cookies)
	v.x.Reply, v.x.Guard = v.reply, (*guard)(v)
	rd.visited.Store(v)
	return v
}

// begin is called before the first byte: it stores what changed and completes
// the header, or sends the error page, after which nothing may follow.
func (rd *round) begin() error {
	if v := rd.visited.Load(); v != nil && v.updating.Load() {
		return ErrUpdating
	}
	if !rd.sent.Load() {
		if f, err := rd.complete(); err != nil {
			rd.refuse(f, err)
		}
	}
	if v := rd.visited.Load(); v != nil {
		return v.dead
	}
	return nil
}

// complete commits and completes the header, and returns an error to whoever
// must send the error page.
func (rd *round) complete() (f found, err error) {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	v := rd.visited.Load()
	if rd.sent.Load() || v != nil && v.updating.Load() {
		return unsent, nil
	}
	if v != nil {
		if f, err = rd.past(v); err == nil {
			err = v.begin(rd.Header())
		}
	}
	rd.sent.Store(true)
	return f, err
}

// end is called when the handler has returned or panicked: from now on changes
// fail.
func (rd *round) end() {
	if !rd.over.Load() {
		rd.over.Store(true)
	}
}

// finish is called when the handler has returned.
func (rd *round) finish() {
	err := rd.begin()
	rd.end()
	if v := rd.visited.Load(); v != nil && err == nil {
		v.close()
	}
}
