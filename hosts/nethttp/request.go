package nethttp

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// A request is what a request has on its way through Handler: its context and its
// response writer in one small allocation. Handlers that time out go on using
// it while the server is done with it, so nothing of it is pooled, and the
// header of the answer is touched only from begin.
type request struct {
	http.ResponseWriter
	middleware *Middleware
	request    *http.Request           // as it came
	outer      context.Context         // of that request, which is written to at the end
	inner      *http.Request           // the same with this as its context
	given      http.Header             // what was on the answer before the handler's turn
	life       context.Context         // outer, or with Options.CloseEnded a child of it
	cancel     context.CancelCauseFunc // of that child, or nil
	opened     atomic.Pointer[Session] // nil until the session is asked for

	mu   sync.Mutex  // guards the Session and the way to the first byte
	sent atomic.Bool // the header is on its way; set under mu
	over atomic.Bool // the handler has returned, panicked, or was given up
}

// requestRoom is a request with its http.Request, which has the cookie and is not to be
// printed with it, in one allocation.
type requestRoom struct {
	request
	inner http.Request
}

func newRequest(h *Middleware, w http.ResponseWriter, r *http.Request) *request {
	room := &requestRoom{request: request{ResponseWriter: w, middleware: h, request: r, outer: r.Context()}}
	rq := &room.request
	rq.life = rq.outer
	if h.o.CloseEnded {
		rq.life, rq.cancel = context.WithCancelCause(rq.outer)
	}
	rq.inner = &room.inner
	room.inner = *r.WithContext((*requestContext)(rq)) // the copy stays on the stack
	if header := w.Header(); len(header) > 0 {
		rq.given = maps.Clone(header)
	}
	return rq
}

// requestContext is the request as the request's context.
type requestContext request

// requestKey finds the request of a manager; of no manager: the innermost.
type requestKey struct{ manager *hosts.Manager }

// OfSession implements hosts.OfSession.
func (requestKey) OfSession() {}

// Value finds the request itself and its hosts.Request, and else asks the request's own context.
func (c *requestContext) Value(key any) any {
	if k, ok := key.(requestKey); ok && (k.manager == nil || k.manager == c.middleware.manager) {
		return (*request)(c)
	}
	if key == (hosts.RequestKey{}) {
		return &(*request)(c).session().x
	}
	return c.life.Value(key)
}

// The rest of context.Context is the request's own.
func (c *requestContext) Deadline() (time.Time, bool) { return c.life.Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.life.Done() }
func (c *requestContext) Err() error                  { return c.life.Err() }

func requestOf(ctx context.Context, m *hosts.Manager) *request {
	rq, _ := ctx.Value(requestKey{m}).(*request)
	return rq
}

// ErrNoHandler means that a request did not come through Middleware.Handler. It is
// logged by slog.Default, at most once a minute.
var ErrNoHandler = errors.New("no session on this request: wrap the handler in (*nethttp.Middleware).Handler")

var unwrapped mistakes // of the whole process, since there is no manager to ask

// From returns the session of a request that came through a Handler, the
// innermost if there are several. A visitor without a live session gets a new
// one, which is stored only when there is something in it. The error wraps
// hosts.ErrUnavailable if the store does not answer before r's context ends; every
// method of the Session then returns that error.
func From(r *http.Request) (*Session, error) { return from(r.Context(), nil) }

// FromContext is From for code that has the request's context alone.
func FromContext(ctx context.Context) (*Session, error) { return from(ctx, nil) }

// From is the function of that name where several middlewares share a request:
// it returns the session of this one.
func (h *Middleware) From(r *http.Request) (*Session, error) { return from(r.Context(), h.manager) }

func from(ctx context.Context, m *hosts.Manager) (*Session, error) {
	rq := requestOf(ctx, m)
	if rq == nil {
		if n := unwrapped.add(time.Now()); n > 0 {
			slog.Default().Error("sessions: "+ErrNoHandler.Error(), "requests", n)
		}
		return nil, ErrNoHandler
	}
	v := rq.session()
	rq.mu.Lock()
	defer rq.mu.Unlock()
	return v, v.load(ctx)
}

// sessionRoom is a Session with what it only points to, so that no cookie is in what
// is printed, in one allocation: over two pointers, see core.Secret.
type sessionRoom struct {
	Session
	cookies hosts.CookieRoom
	at      *[]field
	fields  []field
}

func (rq *request) session() *Session {
	if v := rq.opened.Load(); v != nil {
		return v
	}
	rq.mu.Lock()
	defer rq.mu.Unlock()
	if v := rq.opened.Load(); v != nil {
		return v
	}
	room := &sessionRoom{Session: Session{request: rq}}
	v := &room.Session
	room.at = &room.fields
	v.fields = &room.at
	rq.middleware.fill(&v.x, rq.request, &room.cookies)
	v.x.Reply, v.x.Guard, v.x.Settles = v.reply, (*guard)(v), !rq.sent.Load()
	rq.opened.Store(v)
	return v
}

// begin is called before the first byte: it stores what changed and completes
// the header, or sends the error page, after which nothing may follow.
func (rq *request) begin() error {
	if v := rq.opened.Load(); v != nil && v.updating.Load() {
		return ErrUpdating
	}
	for !rq.sent.Load() {
		f, owes, err := rq.complete()
		switch {
		case owes && rq.settle() == nil:
			continue
		case err != nil:
			rq.refuse(f, err)
		}
		break
	}
	if v := rq.opened.Load(); v != nil {
		return v.dead
	}
	return nil
}

// settle waits for the logouts of the request, without its lock. Where the wait is
// cut short the error page is sent.
func (rq *request) settle() error {
	err := rq.middleware.manager.Settle(&rq.opened.Load().x)
	if err != nil {
		rq.abandon(err)
	}
	return err
}

// complete commits and completes the header. If it returns an error, the caller must
// send the error page. Where it owes the wait for a logout, the header is not complete
// yet.
func (rq *request) complete() (f found, owes bool, err error) {
	rq.mu.Lock()
	defer rq.mu.Unlock()
	v := rq.opened.Load()
	if rq.sent.Load() || v != nil && v.updating.Load() {
		return unsent, false, nil
	}
	if v != nil {
		if f, err = rq.past(v); err == nil {
			owes, err = v.begin(rq.Header())
		}
		if owes {
			return f, true, nil
		}
		v.x.Settles = false // from now on each logout waits by itself
	}
	rq.sent.Store(true)
	return f, false, err
}

// end is called when the handler has returned or panicked: from now on changes
// fail.
func (rq *request) end() {
	if !rq.over.Load() {
		rq.over.Store(true)
	}
	if v := rq.opened.Load(); v != nil {
		rq.mu.Lock()
		v.unwatch()
		rq.mu.Unlock()
	}
	if rq.cancel != nil {
		rq.cancel(context.Canceled)
	}
}

// finish is called when the handler has returned.
func (rq *request) finish() {
	err := rq.begin()
	rq.end()
	if v := rq.opened.Load(); v != nil && err == nil {
		v.close()
	}
}

// giveBack leaves the request that came as the handler left its copy, but for
// the context: net/http removes the files of its MultipartForm, and middlewares
// outside read its Pattern and path values. A goroutine that outlives the
// handler may ask for its session for the first time, which reads that request.
func (rq *request) giveBack() {
	rq.mu.Lock()
	defer rq.mu.Unlock()
	*rq.request = *rq.inner.WithContext(rq.outer) // the copy stays on the stack
}
