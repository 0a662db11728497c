package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/netip"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/open"
	"github.com/rockstar-web/sessions/hosts/sessionctl/demo"
)

var demoCommand = command{
	name: "demo", brief: "run a web application with sessions",
	about: `Serves a small shop with notes, to try sessions by hand (users alice with password
wonderland, bob with builder), and the same as a JSON API for scripts:

  POST /api/login {"user","password","remember"}   GET /api/session   PUT, DELETE /api/data/NAME
  POST /api/add/NAME?n=N   POST /api/take/NAME   POST /api/refresh   POST /api/logout
  POST /api/slow?ms=N&set=NAME   GET /healthz

Without a key in the environment it makes one and keeps it beside the sessions
(` + demo.KeyFile + `, mode 0600), so that they survive a restart. An interrupt lets
running requests end; a second one does not.`,
	flags: demoFlags,
}

func demoFlags(set *flag.FlagSet) func(context.Context, *program, []string) error {
	var (
		o          demo.Options
		https, log bool
	)
	set.StringVar(&o.Addr, "addr", demo.DefaultAddr, "listen on `HOST:PORT`")
	set.StringVar(&o.Store, "store", demo.DefaultStore, "keep sessions in `STORE`: "+open.Allowed())
	set.BoolVar(&o.Tenants, "tenants", false, "take the tenant from the first label of the host name")
	set.BoolVar(&https, "https", false, "serve HTTPS, with Secure and a __Host- cookie name; needs --cert and --key")
	set.StringVar(&o.Cert, "cert", "", "`FILE` with the certificate in PEM")
	set.StringVar(&o.CertKey, "key", "", "`FILE` with the certificate's private key in PEM")
	set.DurationVar(&o.Idle, "idle", 0, "end a session after `DURATION` without use, such as 30m (never)")
	set.DurationVar(&o.Cleanup, "cleanup", hosts.DefaultCleanupInterval, "remove expired sessions every `DURATION`")
	set.Func("trusted-proxy", "believe X-Forwarded-For from `CIDR`; may be repeated", func(text string) error {
		return addPrefix(&o.TrustedProxies, text)
	})
	set.BoolVar(&log, "log", false, "log the events of sessions on stderr")
	return func(ctx context.Context, p *program, _ []string) error {
		if https != (o.Cert != "") || https != (o.CertKey != "") {
			return usagef("demo: --https, --cert and --key go together: all three or none")
		}
		if _, _, err := net.SplitHostPort(o.Addr); err != nil {
			return usagef("demo: --addr is %q; allowed: HOST:PORT, such as %s", o.Addr, demo.DefaultAddr)
		}
		if keyGiven() {
			var err error
			if o.Keys, err = hosts.KeysFromEnv(); err != nil {
				return usageError{err}
			}
		}
		if log {
			o.Logger = slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		err := demo.Run(ctx, o, p.out, p.err)
		var refused *hosts.ConfigError
		if errors.As(err, &refused) {
			return usageError{err}
		}
		return err
	}
}

// addPrefix takes a single address for the prefix of its whole length.
func addPrefix(list *[]netip.Prefix, text string) error {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return errors.New("allowed: an address or a prefix, such as 10.0.0.0/8")
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	*list = append(*list, p)
	return nil
}
