package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds of the servers that Serve runs.
const (
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10 // bytes
	keepAlive     = 2 * time.Minute
	probeTimeout  = 2 * time.Second
)

// Serve answers visitors on a listener until ctx ends, and lets the requests
// that run come to their end within Options.Grace, WebSockets among them; what
// still runs is cut off then, which is an error. With a certificate (two PEM
// files) it speaks HTTPS. operators, which may be nil, get /healthz (the process
// is there), /readyz (the store answers) and /metrics.
func (g *Gateway) Serve(ctx context.Context, visitors, operators net.Listener, cert, key string) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	running := &flight{next: g}
	front := &http.Server{Handler: running, ReadHeaderTimeout: headerTimeout, IdleTimeout: keepAlive, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(g.o.Logger.Handler(), slog.LevelWarn)}
	back := &http.Server{Handler: g.operators(), ReadHeaderTimeout: headerTimeout, ErrorLog: log.New(nobody{}, "", 0)}
	failed := make(chan error, 2)
	go func() {
		if cert != "" {
			failed <- front.ServeTLS(visitors, cert, key)
		} else {
			failed <- front.Serve(visitors)
		}
	}()
	if operators != nil {
		go func() { failed <- back.Serve(operators) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	if !g.drain(front, running) {
		cut() // closes WebSockets, of which the server knows nothing any more
		err = errors.Join(err, fmt.Errorf("gateway: requests still ran after %v and were cut off", g.o.Grace), front.Close())
	}
	return errors.Join(err, back.Close())
}

// drain waits for the requests that run, and reports whether all came to their end.
func (g *Gateway) drain(front *http.Server, running *flight) bool {
	ctx, cancel := context.WithTimeout(context.Background(), g.o.Grace)
	defer cancel()
	if front.Shutdown(ctx) != nil {
		return false
	}
	select {
	case <-running.landed():
		return true
	case <-ctx.Done():
		return false
	}
}

type nobody struct{}

func (nobody) Write(p []byte) (int, error) { return len(p), nil }

func (g *Gateway) operators() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", g.ready)
	mux.Handle("GET /metrics", g.Metrics())
	return mux
}
