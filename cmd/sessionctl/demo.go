package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl"
	"github.com/rockstar-web/sessions/stores"
)

var demoCommand = sessionctl.Command{
	Key: true, Name: "demo", Brief: "run a small shop, to try sessions",
	About: `Serves a small shop with notes, to try sessions by hand. Sign in as alice with the password
wonderland, or as bob with builder. The page "Prove it" shows what this library promises.
Scripts use a JSON API:

  POST /api/login {"user","password","remember"}   GET /api/session   PUT, DELETE /api/data/NAME
  POST /api/add/NAME?n=N   POST /api/take/NAME   POST /api/refresh   POST /api/logout
  POST /api/slow?ms=N&set=NAME   GET /api/events   GET /healthz

If the environment has no key, the demo makes one. If the sessions are in files, it keeps
the key beside them (` + sessionctl.DevelopmentKeyFile + `, mode 0600), so that they survive a restart.
Ctrl-C lets running requests finish. A second one does not wait.`,
	Examples: []string{`sessionctl demo`, `sessionctl demo --addr 127.0.0.1:8090 --store file:./sessions`},
	Flags:    demoFlags,
}

func demoFlags(set *flag.FlagSet) func(context.Context, *sessionctl.Program, []string) error {
	var (
		o          demo.Options
		https, log bool
	)
	set.StringVar(&o.Addr, "addr", demo.DefaultAddr, "listen on `HOST:PORT`")
	set.StringVar(&o.Store, "store", demo.DefaultStore, "the `STORE` to keep sessions in; see sessionctl help")
	set.BoolVar(&o.Tenants, "tenants", false, "take the tenant from the first label of the host name")
	set.BoolVar(&https, "https", false, "serve HTTPS, with Secure and a __Host- cookie name; needs --cert and --key")
	set.StringVar(&o.Cert, "cert", "", "`FILE` with the certificate in PEM")
	set.StringVar(&o.CertKey, "key", "", "`FILE` with the certificate's private key in PEM")
	set.StringVar(&o.Metrics, "metrics", "", "serve /metrics for Prometheus on `HOST:PORT`, which only operators should reach (default: not served)")
	set.DurationVar(&o.Idle, "idle", 0, "end a session after `DURATION` without use, such as 30m (default: never)")
	set.DurationVar(&o.Cleanup, "cleanup", hosts.DefaultCleanupInterval, "remove expired sessions every `DURATION`")
	set.Func("trusted-proxy", "trust X-Forwarded-For from `CIDR`; may be repeated", func(text string) error {
		return sessionctl.AddPrefix(&o.TrustedProxies, text)
	})
	set.BoolVar(&log, "log", false, "log the events of sessions on stderr")
	return func(ctx context.Context, p *sessionctl.Program, _ []string) error {
		if https != (o.Cert != "") || https != (o.CertKey != "") {
			return sessionctl.Usagef("demo: --https, --cert and --key go together: all three or none")
		}
		if _, _, err := net.SplitHostPort(o.Addr); err != nil {
			return sessionctl.Usagef("demo: --addr is %q; allowed: HOST:PORT, such as %s", stores.Typed(o.Addr), demo.DefaultAddr)
		}
		if _, _, err := net.SplitHostPort(o.Metrics); o.Metrics != "" && err != nil {
			return sessionctl.Usagef("demo: --metrics is %q; allowed: HOST:PORT, such as 127.0.0.1:9090", stores.Typed(o.Metrics))
		}
		if o.Idle < 0 {
			return sessionctl.Usagef("demo: --idle is %v; allowed: 0s or more", o.Idle)
		}
		if o.Cleanup <= 0 {
			return sessionctl.Usagef("demo: --cleanup is %v; allowed: more than 0s", o.Cleanup)
		}
		if sessionctl.KeyGiven() {
			var err error
			if o.Keys, err = hosts.KeysFromEnv(); err != nil {
				return sessionctl.Usagef("%w", err)
			}
		}
		if log {
			o.Logger = slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		err := demo.Run(ctx, o, p.Out, p.Err)
		var refused *hosts.ConfigError
		if errors.As(err, &refused) {
			return sessionctl.Usagef("%w", err)
		}
		return err
	}
}
