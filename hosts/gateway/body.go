package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// bodyStride is how many bytes of a request's body have Options.BodyTimeout
// together: a total would refuse large uploads over slow networks, and a limit
// between two bytes would be met by a byte a minute.
const bodyStride = 32 << 10

var errSlowBody = errors.New("the request's body came too slowly")

// body is a request's body whose visitor is waited for in bounds, while the
// origin is: time counts in which the origin wants more and nothing comes. Once
// the origin answers it knows for whom it waits, and streams in both directions
// may be silent, as WebSockets may.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	http1   bool
	limit   time.Duration

	reading sync.Mutex // held by Read, also by one that outlives the handler
	left    time.Duration
	got     int

	mu       sync.Mutex // guards the rest, and the deadline
	answered bool       // there is no limit any more
	over     bool       // the handler has returned: the deadline is the server's
	whole    bool       // it was read to its end
	slow     bool
}

type bodyKey struct{}

// limitBody puts a limit on a request's body, if it has one. What it returns is
// a copy: the server goes by the body that it finds in its own request.
func (g *Gateway) limitBody(w http.ResponseWriter, r *http.Request) (*http.Request, *body) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return r, nil
	}
	b := &body{ReadCloser: r.Body, control: http.NewResponseController(w), http1: r.ProtoMajor == 1, limit: g.o.BodyTimeout, left: g.o.BodyTimeout}
	r = r.WithContext(context.WithValue(r.Context(), bodyKey{}, b))
	r.Body = b
	return r, b
}

// bodyOf returns the body of a request that limitBody returned; nil if it has none.
func bodyOf(r *http.Request) *body {
	b, _ := r.Context().Value(bodyKey{}).(*body)
	return b
}

func (b *body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	begun := time.Now()
	if !b.wait(begun.Add(b.left)) {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= time.Since(begun)
	if b.got += n; b.got >= bodyStride {
		b.got, b.left = 0, b.limit
	}
	return n, b.waited(err)
}

// wait sets the deadline for a read; it reports false when there may be none.
func (b *body) wait(until time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over && !b.answered {
		_ = b.control.SetReadDeadline(until) // a server that cannot has no limit
	}
	return !b.over
}

// waited takes the deadline back, or else it would end the watch for a visitor
// who leaves.
func (b *body) waited(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole = b.whole || err == io.EOF
	switch {
	case b.over:
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.slow = true
		return errSlowBody
	case !b.answered:
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return err
}

// tooSlow reports whether the visitor was waited for in vain.
func (b *body) tooSlow() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.slow
}

// answer is called when the answer's header is known, and lifts the limit. If
// the rest of the body is still to come, it must not be taken for another
// request, whatever becomes of it: the connection closes behind the answer.
func (b *body) answer(h http.Header) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.http1 && !b.whole {
		h.Set("Connection", "close")
	}
	if !b.answered && !b.slow {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	b.answered = true
}

// end leaves what is still to come to the server, which reads some of it, in
// bounds. A read that the transport has left behind ends first: else the server
// ends it, and takes the deadline back.
func (b *body) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.over = true
	whole, slow := b.whole, b.slow
	b.mu.Unlock()
	switch {
	case whole:
	case slow || !b.reading.TryLock():
		if b.control.SetReadDeadline(time.Unix(1, 0)) == nil {
			b.reading.Lock()
			defer b.reading.Unlock()
		}
	default:
		defer b.reading.Unlock()
		_ = b.control.SetReadDeadline(time.Now().Add(b.limit))
	}
}
