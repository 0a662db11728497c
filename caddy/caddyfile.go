package caddy

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	caddyserver "github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
)

const directive = "sessions"

func init() {
	httpcaddyfile.RegisterHandlerDirective(directive, func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		g := new(Gate)
		return g, g.UnmarshalCaddyfile(h.Dispenser)
	})
	httpcaddyfile.RegisterDirectiveOrder(directive, httpcaddyfile.After, "basic_auth") // before request_header, which may use the user
}

// UnmarshalCaddyfile reads
//
//	sessions [<matcher>] {
//		store <name>
//		cookie <name>
//		key_env <variable>
//		tenant <placeholders>
//		login <path>
//		optional
//	}
func (g *Gate) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return read(d, func(option string) (*string, *bool) {
		switch option {
		case "login":
			return &g.Login, nil
		case "optional":
			return nil, &g.Optional
		}
		return g.field(option), nil
	})
}

// UnmarshalCaddyfile reads the options of the directive that are a provider's.
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return read(d, func(option string) (*string, *bool) { return p.field(option), nil })
}

func (p *Provider) field(option string) *string {
	switch option {
	case "store":
		return &p.Store
	case "cookie":
		return &p.Cookie
	case "key_env":
		return &p.KeyEnv
	case "tenant":
		return &p.Tenant
	}
	return nil
}

// read reads a block. field returns where the argument of an option belongs, or which
// switch it is.
func read(d *caddyfile.Dispenser, field func(option string) (text *string, on *bool)) error {
	d.Next() // the directive
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		option := d.Val()
		text, on := field(option)
		switch {
		case on != nil:
			*on = true
		case text == nil:
			return d.Errf("unknown option %q; allowed: store, cookie, key_env, tenant, and of the directive login, optional", option)
		case *text != "":
			return d.Errf("option %s is there twice", option)
		case !d.AllArgs(text) || *text == "":
			return d.ArgErr()
		}
		if on != nil && d.NextArg() {
			return d.ArgErr()
		}
	}
	return nil
}

// Of these interfaces Caddy asks at run time.
var (
	_ caddyauth.Authenticator     = (*Provider)(nil)
	_ caddyserver.Provisioner     = (*Provider)(nil)
	_ caddyserver.Validator       = (*Provider)(nil)
	_ caddyserver.CleanerUpper    = (*Provider)(nil)
	_ caddyfile.Unmarshaler       = (*Provider)(nil)
	_ caddyhttp.MiddlewareHandler = (*Gate)(nil)
	_ caddyserver.Validator       = (*Gate)(nil)
	_ caddyfile.Unmarshaler       = (*Gate)(nil)
)
