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
	drainTimeout  = 30 * time.Second
	probeTimeout  = 2 * time.Second
)

// Serve answers visitors on a listener until ctx ends, and lets the requests
// that run come to their end within 30 s; streams are cut off then. With a
// certificate (two PEM files) it speaks HTTPS. operators, which may be nil, get
// /healthz (the process is there), /readyz (the store answers) and /metrics.
func (g *Gateway) Serve(ctx context.Context, visitors, operators net.Listener, cert, key string) error {
	front := &http.Server{Handler: g, ReadHeaderTimeout: headerTimeout, IdleTimeout: keepAlive, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(g.o.Logger.Handler(), slog.LevelWarn)}
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
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if cut := front.Shutdown(drain); cut != nil {
		err = errors.Join(err, fmt.Errorf("gateway: requests still ran after %v and were cut off", drainTimeout), front.Close())
	}
	return errors.Join(err, back.Close())
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
