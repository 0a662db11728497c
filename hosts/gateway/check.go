package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// DefaultURIField is the header field in which most proxies send the requested URI.
const DefaultURIField = "X-Forwarded-Uri"

// Check has a Gateway answer about requests that another proxy holds, and forward
// none: 200 with the identity fields, which are empty where there is nothing to
// say, lets a request pass; every other status is an answer for the visitor. It is
// for nginx (auth_request), Caddy (forward_auth), Traefik (ForwardAuth), HAProxy and
// Envoy (ext_authz over HTTP). Only the middleware's trusted proxies may ask.
//
// The proxy must overwrite URIField, X-Forwarded-Method, -Host, -Proto and -For, and
// drop the identity fields of visitors; docs/gateway.md has how. An application
// mounts the Gateway beside its handlers, not within Middleware.Handler: there the
// tenant would be that of the proxy's own request.
type Check struct {
	URIField  string // [X-Forwarded-Uri] the header field with the path and query that the visitor has asked for
	URIPrefix string // in its place: proxies ask with the visitor's method, host and URI, behind this path, as Envoy does
	// AuthRequest is for nginx, to which every status but 2xx, 401 and 403 is an
	// error: in place of a redirect it answers 401 with Location, and in place of 400
	// and 404 it answers 403.
	AuthRequest bool
	// Renew sets the session cookie where the middleware's manager renews it. Only
	// for a proxy that hands Set-Cookie on to the browser, and a manager with the
	// application's own configuration: a cookie that gets lost ends the session.
	Renew bool
}

var (
	errAsker   = errors.New("who asks is no trusted proxy")
	errNoURI   = errors.New("the URI to check is missing")
	errManyURI = errors.New("the URI to check, its method or its host is given more than once")
	errURI     = errors.New("the URI to check is no path with a query")
)

func (c *Check) check(o *Options) error {
	switch {
	case o.Origin != nil:
		return &hosts.ConfigError{Field: "Origin", Value: shownURL(o.Origin), Allowed: "nil with Check, which forwards nothing"}
	case o.StripCookie || o.KeepHost || o.Transport != nil:
		return &hosts.ConfigError{Field: "StripCookie, KeepHost or Transport", Value: "set", Allowed: "none of them with Check, which forwards nothing"}
	case !o.Middleware.TrustsProxies():
		return &hosts.ConfigError{Field: "TrustedProxies", Value: "none", Allowed: "with Check the addresses of the proxies that ask: nobody else may"}
	case c.URIField != "" && c.URIPrefix != "":
		return &hosts.ConfigError{Field: "URIPrefix", Value: c.URIPrefix, Allowed: "one of URIField and URIPrefix"}
	case strings.ContainsFunc(c.URIField, notOfName):
		return &hosts.ConfigError{Field: "URIField", Value: c.URIField, Allowed: "the name of a header field, of letters, digits and hyphens"}
	case c.URIPrefix != "" && (!nethttp.PlainPath(c.URIPrefix, c.URIPrefix) || strings.ContainsAny(c.URIPrefix, "%?# ") || strings.HasSuffix(c.URIPrefix, "/")):
		return &hosts.ConfigError{Field: "URIPrefix", Value: c.URIPrefix, Allowed: "a path such as /check, without a slash at its end"}
	}
	return nil
}

func notOfName(c rune) bool {
	return c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

// withDefaults is a copy that is ready for use.
func (c *Check) withDefaults() *Check {
	ready := *c
	if ready.URIPrefix == "" {
		ready.URIField = http.CanonicalHeaderKey(cmp.Or(c.URIField, DefaultURIField))
	}
	return &ready
}

// judged returns the request that a proxy asks about: with the visitor's fields,
// which came along, and the proxy's address.
func (c *Check) judged(r *http.Request) (*http.Request, error) {
	target, method, host := "", r.Method, r.Host
	if c.URIPrefix != "" {
		rest, ok := strings.CutPrefix(r.RequestURI, c.URIPrefix)
		if !ok || rest == "" {
			return nil, errNoURI
		}
		target = rest
	} else {
		for _, f := range []struct {
			name string
			to   *string
		}{{c.URIField, &target}, {"X-Forwarded-Method", &method}, {"X-Forwarded-Host", &host}} {
			switch values := r.Header[f.name]; {
			case len(values) > 1:
				return nil, errManyURI
			case len(values) == 1 && values[0] != "":
				*f.to = values[0]
			}
		}
		if target == "" {
			return nil, errNoURI
		}
	}
	// Go takes "#" for a part of the path, other servers for its end.
	if target[0] != '/' || strings.ContainsAny(target, "# ") {
		return nil, errURI
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, errURI
	}
	j := *r
	j.Method, j.Host, j.URL, j.RequestURI, j.Body, j.ContentLength = method, host, u, target, http.NoBody, 0
	return &j, nil
}
