package nethttp

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	replaceTime = 5 * time.Second        // for sending the page
	lingerTime  = 500 * time.Millisecond // for the client to read it
	lingerBytes = 256 << 10              // of its request, dropped meanwhile
)

var longAgo = time.Unix(1, 0)

// page is an answer of its own, apart from the one that has begun.
type page struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *page) Header() http.Header { return p.header }

func (p *page) WriteHeader(status int) {
	if p.status == 0 && status >= 200 {
		p.status = status
	}
}

func (p *page) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.body.Write(b)
}

// replace takes the connection from an HTTP/1 server, drops what waits in its
// buffers, sends the page if nothing has left yet, and closes it. A connection
// under TLS does not survive the drop: its client gets no answer at all. The
// result is whether it was done.
func (p *page) replace(server http.ResponseWriter, send bool, r *http.Request) bool {
	if server == nil {
		return false
	}
	control := http.NewResponseController(server)
	if control.SetWriteDeadline(longAgo) != nil { // Hijack flushes, which fails by this, and forgets
		return false
	}
	conn, _, err := control.Hijack()
	if err != nil {
		return false
	}
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok { // its state is broken by a write that failed
		return secure.NetConn().Close() == nil
	}
	defer conn.Close()
	if !send || conn.SetDeadline(time.Now().Add(replaceTime)) != nil {
		return true
	}
	p.WriteHeader(http.StatusInternalServerError)
	p.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	answer := http.Response{StatusCode: p.status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: p.header,
		ContentLength: int64(p.body.Len()), Body: io.NopCloser(&p.body), Close: true}
	if answer.Write(conn) != nil {
		return true
	}
	// A close with unread bytes of the request would take the page back.
	if c, ok := conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		_ = conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, conn, lingerBytes)
	}
	return true
}
