package nethttp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
)

// writer is the request as the handler's response writer. It commits before the
// first byte, whichever way that takes.
type writer request

// Unwrap lets http.ResponseController reach what is not listed here:
// deadlines and full duplex.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader commits and sends the header. Informational answers (1xx), but
// for 101, come before the header and commit nothing.
func (w *writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		if !w.sent.Load() {
			w.ResponseWriter.WriteHeader(status)
		}
		return
	}
	if (*request)(w).begin() == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write commits first. After an error page it writes nothing.
func (w *writer) Write(p []byte) (int, error) {
	if err := (*request)(w).begin(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}

// WriteString is Write without a copy where the server can do that.
func (w *writer) WriteString(s string) (int, error) {
	if err := (*request)(w).begin(); err != nil {
		return 0, err
	}
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom keeps sendfile.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	if err := (*request)(w).begin(); err != nil {
		return 0, err
	}
	if rf, ok := w.ResponseWriter.(io.ReaderFrom); ok {
		return rf.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{w.ResponseWriter}, src)
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError commits before it sends the header.
func (w *writer) FlushError() error {
	if err := (*request)(w).begin(); err != nil {
		return err
	}
	(*request)(w).streams()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack stores what changed. The header is the handler's from then on, so a
// session that needs a cookie is ErrHeadersSent. After an error the connection
// is still the server's, and the handler can answer as usual.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	rq := (*request)(w)
	if v := rq.opened.Load(); v != nil && !rq.sent.Load() {
		if err := rq.middleware.manager.Settle(&v.x); err != nil {
			return nil, nil, err
		}
	}
	rq.mu.Lock()
	defer rq.mu.Unlock()
	if v := rq.opened.Load(); v != nil && v.dead != nil {
		return nil, nil, v.dead
	} else if v != nil && !rq.sent.Load() {
		if v.needsCookie() {
			return nil, nil, fmt.Errorf("hijack with a sign-in, renewal, refresh or new session: %w", ErrHeadersSent)
		}
		v.x.Settles = false
		if err := v.commit(); err != nil {
			return nil, nil, err
		}
	}
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return conn, rw, err
	}
	rq.sent.Store(true)
	if v := rq.opened.Load(); v != nil {
		if conn, err = v.closes(conn); err != nil {
			rq.middleware.manager.Failed(err) // the connection is the handler's, and goes on
		}
	}
	return conn, rw, nil
}

// Push implements http.Pusher where the server does.
func (w *writer) Push(target string, opts *http.PushOptions) error {
	if p, ok := w.ResponseWriter.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}
