package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/metrics"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
)

// Defaults of Options.
const (
	DefaultAddr  = "127.0.0.1:8080"
	DefaultStore = stores.Default
)

// Bounds of the server.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = maxSlow + 15*time.Second
	idleTimeout   = 2 * time.Minute
	drainTimeout  = maxSlow + 5*time.Second // the slowest request ends in it
	maxHeader     = 32 << 10                // bytes
)

// Options set the demo up. The zero value runs it on DefaultAddr over
// DefaultStore with a development key.
type Options struct {
	Addr           string
	Store          string       // a name that stores.Open takes
	Keys           core.KeyRing // none: a development key, kept beside the sessions
	Tenants        bool         // the tenant is the first label of the host name
	Cert, CertKey  string       // PEM files; both or none. With them: HTTPS, Secure, a __Host- cookie
	Idle           time.Duration
	Cleanup        time.Duration
	TrustedProxies []netip.Prefix
	Logger         *slog.Logger // of events
	Metrics        string       // where /metrics is served, beside Addr [nowhere]
	Clock          hosts.Clock
}

// Run serves until ctx ends, then lets the requests that run come to their end
// and closes everything. It prints the URL on out once it can be opened, and
// warnings on warn.
func Run(ctx context.Context, o Options, out, warn io.Writer) (err error) {
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.Store == "" {
		o.Store = DefaultStore
	}
	store, closer, err := stores.Open(ctx, o.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	about := keyInfo{kept: true}
	if len(o.Keys) == 0 {
		var key core.Secret
		if key, about, err = developmentKey(o.Store); err != nil {
			return err
		}
		o.Keys = core.KeyRing{{Bytes: key}}
		fmt.Fprintln(warn, "sessionctl: warning:", about.warning)
	}
	feed := newFeed(time.Now())
	config := o.config(feed)
	if o.Metrics != "" {
		figures := metrics.New()
		end, err := serveMetrics(ctx, o.Metrics, figures, warn)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		config.Observer = figures
	}
	manager, err := hosts.New(store, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, manager.Close()) }()
	site, err := newSite(manager, feed, o, about)
	if err != nil {
		return err
	}
	return serve(ctx, o, site, out, warn)
}

// config is all that the library wants to know.
func (o *Options) config(f *feed) hosts.Config {
	c := hosts.Config{
		Keys:            o.Keys,
		EndWithBrowser:  true, // unless "remember me" gave the session a lifetime of its own
		IdleTimeout:     o.Idle,
		CleanupInterval: o.Cleanup,
		Logger:          o.Logger,
		Clock:           o.Clock,
		OnEvent:         f.hear,
	}
	if o.Cert != "" {
		c.CookieName = "__Host-" + core.DefaultCookieName
	} else {
		c.AllowInsecure = true
	}
	return c
}

func newHost(m *hosts.Manager, o Options, s *site) (*nethttp.Middleware, error) {
	options := nethttp.Options{TrustedProxies: o.TrustedProxies, ConfirmPath: confirmPath, Unauthorized: s.unauthorized, Failed: s.errorPage}
	if o.Tenants {
		options.Tenant = tenant
	}
	return nethttp.New(m, options)
}

func serve(ctx context.Context, o Options, site *site, out, warn io.Writer) error {
	if o.Cert != "" { // before the URL is printed
		if _, err := tls.LoadX509KeyPair(o.Cert, o.CertKey); err != nil {
			return fmt.Errorf("certificate of the demo: %w", err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	server := &http.Server{
		Handler: site.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(warn, "sessionctl: ", 0),
	}
	server.RegisterOnShutdown(site.feed.stop) // streams would outlast the drain
	scheme, start := "http", func() error { return server.Serve(listener) }
	if o.Cert != "" {
		scheme, start = "https", func() error { return server.ServeTLS(listener, o.Cert, o.CertKey) }
	} else if a, ok := listener.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		fmt.Fprintln(warn, "sessionctl: warning: the demo can be reached from other machines without HTTPS, and cookies can be read on the way; use --https")
	}
	failed := make(chan error, 1)
	go func() { failed <- start() }()
	fmt.Fprintf(out, "%s://%s/\n", scheme, listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("requests still ran after %v and were cut off: %w", drainTimeout, err), server.Close())
	}
	return nil
}
