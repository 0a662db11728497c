package nethttp

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// ErrBypassed means that the answer was written to a writer beneath the one that
// Handler passes to its handler, for example by a gin middleware that calls c.Next
// and drops the writer. The answer lacks the session's cookie, so nothing of the
// session is stored, except what Destroy and the manager's methods have stored at
// once. The request gets 500, or its answer is cut off if it may have been sent
// already. A request that only read its session is served, and logged.
var ErrBypassed = errors.New("the answer went past the http.ResponseWriter of nethttp.Middleware.Handler, and the session's cookie with it; " +
	"write to the w that Handler passes on; with a framework whose handlers have a writer of their own, use its adapter (hosts/gin, hosts/echo), or wrap the whole of it: mw.Handler(engine)")

// mistakeLogged is how often one kind of mistake is logged.
const mistakeLogged = time.Minute

// past looks, before the session is committed, whether the answer has begun
// without it. An error means that the request did what would be lost with it.
func (rq *request) past(v *Session) (found, error) {
	if rq.outer.Err() != nil {
		return unsent, nil // given up: nobody gets this answer, and another goroutine may be at the writer
	}
	f, _ := look(rq.ResponseWriter)
	if f == unsent {
		return f, nil
	}
	s := v.current()
	lost := v.firm || len(**v.fields) > 0 || s != nil && (s.Changed() || v.needsCookie())
	rq.middleware.bypassed.report(rq.middleware, lost)
	if lost {
		v.dead = ErrBypassed
	}
	return f, v.dead
}

// bypassLog keeps a mistake of the program from filling the log. What only read
// and what lost something count apart, or the first would hide the other.
type bypassLog struct{ read, lost mistakes }

// mistakes are of one kind.
type mistakes struct {
	next  atomic.Int64 // when the next line may be written
	since atomic.Int64 // requests since the last line
}

func (l *bypassLog) report(h *Middleware, lost bool) {
	c := &l.read
	if lost {
		c = &l.lost
	}
	if n := c.add(time.Now()); n > 0 {
		h.manager.Bypassed(ErrBypassed, lost, n)
	}
}

// add counts one more, and returns how many there are to log by now.
func (c *mistakes) add(at time.Time) int {
	c.since.Add(1)
	now, next := at.UnixNano(), c.next.Load()
	if now >= next && c.next.CompareAndSwap(next, now+int64(mistakeLogged)) {
		return int(c.since.Swap(0))
	}
	return 0
}

// refuse sends the error page, also in place of an answer that has begun, if it
// is still in the server's buffers; else it cuts that answer off, so that
// nobody takes it for a success.
func (rq *request) refuse(f found, err error) {
	if f == unsent {
		rq.middleware.fail(rq.ResponseWriter, rq.request, err)
		return
	}
	p := &page{header: rq.given.Clone()}
	if p.header == nil {
		p.header = http.Header{}
	}
	rq.middleware.fail(p, rq.request, err)
	_, server := look(rq.ResponseWriter)
	switch f {
	case held, left:
		if form := rq.inner.MultipartForm; form != nil {
			_ = form.RemoveAll() // net/http does not on a connection that was taken from it
		}
		if !p.replace(server, f == held, rq.request) {
			panic(http.ErrAbortHandler)
		}
	case stream:
		if http.NewResponseController(server).SetWriteDeadline(longAgo) != nil {
			panic(http.ErrAbortHandler)
		}
	case elsewhere:
		panic(http.ErrAbortHandler)
	}
}
