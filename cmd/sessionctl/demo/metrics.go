package demo

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/rockstar-web/sessions/hosts/metrics"
)

// serveMetrics answers Prometheus on an address of its own, and prints its URL, until
// end is called.
func serveMetrics(ctx context.Context, addr string, figures *metrics.Metrics, say io.Writer) (end func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with --metrics", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", figures.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: log.New(say, "sessionctl: ", 0)}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	fmt.Fprintf(say, "sessionctl: metrics on http://%s/metrics\n", listener.Addr())
	return server.Close, nil
}
