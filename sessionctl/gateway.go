package sessionctl

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/hosts/wazero"
	"github.com/rockstar-web/sessions/stores"
)

var gatewayCommand = Command{
	Key: true, Name: "gateway", Brief: "let only signed-in visitors through to an application",
	About: `Runs a reverse proxy in front of your application (--origin). It checks the session of each
request, and adds the header fields Session-User, Session-Tenant and Session-Id, which say
who is signed in. If a visitor sends such fields, they are dropped. Every path needs a
signed-in user, except those below --public. The longest prefix counts. See docs/gateway.md.

With --check it forwards nothing. It only answers another proxy whether a request may pass:
nginx (with --check-nginx), Caddy, Traefik, HAProxy or Envoy (with --check-prefix).

With --admin it serves /healthz, /readyz and /metrics on an address of their own.
Ctrl-C lets running requests finish, for at most 30 seconds. A second one does not wait.`,
	Examples: []string{
		`sessionctl gateway --origin http://127.0.0.1:8080 --store redis://localhost:6379 --login https://shop.example/login`,
		`sessionctl gateway --check --trusted-proxy 127.0.0.1 --store redis://localhost:6379 --public /login --login /login`,
	},
	Flags: gatewayFlags,
}

// gatewaySetup is what the flags say.
type gatewaySetup struct {
	o                                 gateway.Options
	c                                 hosts.Config
	check                             gateway.Check
	checks                            bool
	store                             target
	proxies                           []netip.Prefix
	addr, admin, origin               string
	engine, cert, certKey, cookieName string
	durations                         map[string]*typedDuration // by their flags
	ruleFlags                         map[string][]string       // of a prefix
}

const defaultGatewayAddr = "127.0.0.1:8081"

func gatewayFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	g := &gatewaySetup{durations: map[string]*typedDuration{}, ruleFlags: map[string][]string{}}
	set.StringVar(&g.origin, "origin", "", "the `URL` of the application, such as http://127.0.0.1:8080")
	set.BoolVar(&g.checks, "check", false, "answer another proxy whether a request may pass, instead of forwarding requests")
	set.StringVar(&g.check.URIField, "check-uri", gateway.DefaultURIField, "with --check, the header `FIELD` in which the proxy sends the URI that the visitor requests")
	set.StringVar(&g.check.URIPrefix, "check-prefix", "", "instead of --check-uri: the proxy asks for the requested URI with `PATH` in front, as Envoy does")
	set.BoolVar(&g.check.AuthRequest, "check-nginx", false, "with --check, answer 401 with Location instead of a redirect, and 403 instead of 400 and 404")
	set.StringVar(&g.addr, "addr", defaultGatewayAddr, "listen on `HOST:PORT`")
	set.StringVar(&g.admin, "admin", "", "serve health and metrics on `HOST:PORT`, which only operators should reach (default: not served)")
	set.StringVar(&g.store.url, "store", "", "the `STORE` of the application: "+sharedStores()+"; see sessionctl help")
	set.StringVar(&g.engine, "engine", "native", "decrypt cookies by the `ENGINE` native, which is Go, or wasm, the core as WebAssembly")
	g.rule(set, "public", gateway.Public, "make the paths below `PREFIX` public; may be repeated")
	g.rule(set, "signed-in", gateway.SignedIn, "protect the paths below `PREFIX`, although a shorter one is public; may be repeated")
	g.rule(set, "deny", gateway.Denied, "answer 404 for the paths below `PREFIX`; may be repeated")
	set.StringVar(&g.o.LoginURL, "login", "", "send people who are not signed in to `URL`, with return_to (default: they get 401)")
	set.BoolVar(&g.o.StripCookie, "strip-cookie", false, "do not forward the session cookie to the application")
	set.BoolVar(&g.o.KeepHost, "keep-host", false, "forward the visitor's Host to the application")
	g.duration(set, &g.o.Timeout, "timeout", gateway.DefaultTimeout, "wait for `DURATION` until the application begins to answer")
	g.duration(set, &g.o.BodyTimeout, "body-timeout", gateway.DefaultBodyTimeout, "wait for `DURATION` for each 32 KiB of a request's body, until the application begins to answer")
	set.StringVar(&g.cookieName, "name", "", "the `NAME` of the session cookie, as in the application (default rockstar_session)")
	g.duration(set, &g.c.IdleTimeout, "idle", 0, "end a session after `DURATION` without use, as in the application (default: requests through the gateway do not count as use)")
	g.duration(set, &g.c.RenewGrace, "renew-grace", 0, "accept a renewed session's previous cookie for `DURATION`, as in the application; after that it counts as stolen (default 30s)")
	set.StringVar(&g.cert, "cert", "", "`FILE` with the certificate in PEM, to serve HTTPS")
	set.StringVar(&g.certKey, "key", "", "`FILE` with the certificate's private key in PEM")
	set.Func("trusted-proxy", "trust X-Forwarded-For, -Host and -Proto from `CIDR`; may be repeated", func(text string) error {
		return AddPrefix(&g.proxies, text)
	})
	return g.run
}

func (g *gatewaySetup) run(ctx context.Context, p *Program, _ []string) (err error) {
	if err := g.examine(); err != nil {
		return err
	}
	g.o.Logger = slog.New(slog.NewTextHandler(p.Err, nil))
	g.c.Logger = slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	g.c.NoCleanup, g.c.CookieName = true, g.cookieName // the origin sweeps
	if g.engine == "wasm" {
		engine, err := wazero.New(ctx, wazero.Options{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, engine.Close()) }()
		g.c.Engine = engine.Configure
	}
	return g.store.by(ctx, p, openToServe, func(store hosts.Store) error { return g.before(ctx, p, store) })
}

// openToServe opens a store that exists, and then as a server does, which may set up the
// feed by which tunnels end.
func openToServe(ctx context.Context, name string) (hosts.Store, io.Closer, error) {
	return openAfterALook(ctx, name, stores.Open)
}

// openAfterALook opens a store in a way that could make it, if it is there already.
func openAfterALook(ctx context.Context, name string, way func(context.Context, string) (hosts.Store, io.Closer, error)) (hosts.Store, io.Closer, error) {
	_, closer, err := stores.OpenExisting(ctx, name)
	if err == nil {
		err = closer.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	return way(ctx, name)
}

// before serves before the origin whose store this is.
func (g *gatewaySetup) before(ctx context.Context, p *Program, store hosts.Store) (err error) {
	if store, err = cachestore.ForConfig(store, &g.c); err != nil {
		return g.refusedIsUsage(err)
	}
	if p.Meter != nil && g.admin != "" {
		m := p.Meter()
		g.c.Observer = m
		g.o.Metrics = func(gate *gateway.Gateway) http.Handler {
			m.AddGateway(gate)
			return m.Handler()
		}
	}
	manager, err := hosts.New(store, g.c)
	if err != nil {
		return g.refusedIsUsage(err)
	}
	defer func() { err = errors.Join(err, manager.Close()) }()
	_, closes := hosts.FeedOf(store) // tunnels end with their session where the store can report it
	if g.o.Middleware, err = nethttp.New(manager, nethttp.Options{TrustedProxies: g.proxies, CloseEnded: closes == nil}); err != nil {
		return g.refusedIsUsage(err)
	}
	gate, err := gateway.New(g.o)
	if err != nil {
		return g.refusedIsUsage(err)
	}
	return g.serve(ctx, p, gate)
}

func (g *gatewaySetup) examine() (err error) {
	if err := g.behind(); err != nil {
		return err
	}
	if g.engine != "native" && g.engine != "wasm" {
		return Usagef("gateway: --engine is %q; allowed: native, wasm", stores.Typed(g.engine))
	}
	if (g.cert == "") != (g.certKey == "") {
		return Usagef("gateway: --cert and --key go together: both or none")
	}
	if err := g.examineAddresses(); err != nil {
		return err
	}
	if !KeyGiven() {
		return Usagef("gateway: environment variable %s is not set; allowed: the key of the application, or its keys in %s", hosts.DefaultKeyVariable, hosts.DefaultKeysVariable)
	}
	if g.c.Keys, err = hosts.KeysFromEnv(); err != nil {
		return Usagef("gateway: %w; give it the key of the application", err)
	}
	store, err := g.store.name()
	if err == nil && ofOneProcess(store) {
		scheme, _, _ := strings.Cut(store, ":")
		return Usagef("gateway: the store is %s, which only one process can use; allowed: the one of the application: %s", scheme, sharedStores())
	}
	return err
}

// examineAddresses is about where it listens, and with which certificate.
func (g *gatewaySetup) examineAddresses() error {
	if _, _, err := net.SplitHostPort(g.addr); err != nil {
		return Usagef("gateway: --addr is %q; allowed: HOST:PORT, such as %s", stores.Typed(g.addr), defaultGatewayAddr)
	}
	if _, _, err := net.SplitHostPort(g.admin); g.admin != "" && err != nil {
		return Usagef("gateway: --admin is %q; allowed: HOST:PORT, such as 127.0.0.1:9090", stores.Typed(g.admin))
	}
	if g.cert == "" {
		return nil
	}
	for _, f := range [][2]string{{"cert", g.cert}, {"key", g.certKey}} {
		if _, err := os.ReadFile(f[1]); err != nil {
			return Usagef("gateway: --%s %s: %w", f[0], stores.Typed(f[1]), reason(err))
		}
	}
	if _, err := tls.LoadX509KeyPair(g.cert, g.certKey); err != nil {
		return Usagef("gateway: --cert %s and --key %s: %w", g.cert, g.certKey, err)
	}
	return nil
}

// behind is about who stands behind the gateway: an origin, or the proxy that asks.
func (g *gatewaySetup) behind() (err error) {
	if g.check.URIPrefix != "" && g.check.URIField == gateway.DefaultURIField {
		g.check.URIField = ""
	}
	switch {
	case g.checks && g.origin != "":
		return Usagef("gateway: --check and --origin exclude each other: with --check the proxy that asks forwards the requests")
	case g.checks:
		g.o.Check = &g.check
		return nil
	case g.check.AuthRequest || g.check.URIPrefix != "" || g.check.URIField != gateway.DefaultURIField:
		return Usagef("gateway: --check-uri, --check-prefix and --check-nginx need --check")
	case g.origin == "":
		return Usagef("gateway: --origin is required, such as --origin http://127.0.0.1:8080; or --check")
	}
	if g.o.Origin, err = url.Parse(g.origin); err != nil {
		return Usagef("gateway: --origin is %q; allowed: http://host:port or https://host", stores.Typed(g.origin))
	}
	return nil
}

// ofOneProcess reports the names of stores that an origin cannot share.
func ofOneProcess(name string) bool {
	scheme, _, _ := strings.Cut(name, ":")
	return slices.Contains([]string{"memory", "cache", "file", "filesystem"}, scheme)
}

// sharedStores lists the schemes of the others.
func sharedStores() string {
	var list []string
	for name := range strings.SplitSeq(stores.Allowed(), ", ") {
		if scheme, _, named := strings.Cut(name, ":"); named && !ofOneProcess(scheme) {
			list = append(list, scheme+":")
		}
	}
	return strings.Join(list, ", ")
}

func (g *gatewaySetup) serve(ctx context.Context, p *Program, gate *gateway.Gateway) error {
	listen := func(addr, flag string) (net.Listener, error) {
		l, err := (&net.ListenConfig{KeepAlive: time.Minute}).Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("%w; choose another address with --%s", err, flag)
		}
		return l, nil
	}
	visitors, err := listen(g.addr, "addr")
	if err != nil {
		return err
	}
	var operators net.Listener
	if g.admin != "" {
		if operators, err = listen(g.admin, "admin"); err != nil {
			return errors.Join(err, visitors.Close())
		}
		fmt.Fprintf(p.Err, "sessionctl: health and metrics on http://%s/\n", operators.Addr())
	}
	scheme := "http"
	if g.cert != "" {
		scheme = "https"
	}
	fmt.Fprintf(p.Out, "%s://%s/\n", scheme, visitors.Addr())
	return gate.Serve(ctx, visitors, operators, g.cert, g.certKey)
}
