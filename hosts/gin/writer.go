package ginsessions

import (
	"bufio"
	"io"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// writer is gin's own writer, which keeps the status until the first byte, but all
// that sends goes by the middleware's, which commits first and ends in gin's.
type writer struct {
	gin.ResponseWriter
	commits http.ResponseWriter
}

// WriteHeaderNow commits, and sends the header.
func (w *writer) WriteHeaderNow() {
	if !w.Written() {
		w.commits.WriteHeader(w.Status())
		w.ResponseWriter.WriteHeaderNow()
	}
}

func (w *writer) Write(p []byte) (int, error) { return w.commits.Write(p) }

func (w *writer) WriteString(s string) (int, error) { return io.WriteString(w.commits, s) }

func (w *writer) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *writer) FlushError() error { return http.NewResponseController(w.commits).Flush() }

func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.commits).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.commits }
