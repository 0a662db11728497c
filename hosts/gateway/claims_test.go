package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// TestWhatReachesTheOrigin: a field by which an origin may read another path,
// host or user than was judged does not, however it is spelt and whoever sends it.
func TestWhatReachesTheOrigin(t *testing.T) {
	const never, proxies, always = 0, 1, 2
	table := map[string]int{
		"X-Original-URL": never, "X-Original-URI": never, "X-Original-Path": never, "X-Original-Host": never, "X-Original-Method": never,
		"X-Rewrite-URL": never, "X-Rewrite-URI": never, "X-Envoy-Original-Path": never, "X-Envoy-Original-Host": never, "X-Waws-Unencoded-Url": never,
		"X-Forwarded-Uri": never, "X-Forwarded-Url": never, "X-Forwarded-Path": never, "X-Forwarded-Prefix": never, "X-Forwarded-Method": never,
		"X-Forwarded-Server": never, "X-Forwarded-Port": never, "X-Forwarded-Scheme": never, "X-Forwarded-Ssl": never,
		"X-Forwarded-User": never, "X-Forwarded-Email": never, "X-Forwarded-Client-Cert": never,
		"Script-Name": never, "X-Script-Name": never, "Path-Info": never, "Request-Uri": never, "X-Proxy-Url": never,
		"X-Host": never, "X-HTTP-Host-Override": never, "Remote-User": never, "X-Remote-User": never, "X-Remote-Group": never,
		"X-Auth-Request-User": never, "X-Authenticated-Userid": never, "X-Authentik-Username": never, "X-Webauth-User": never, "Proxy": never,
		"X-Real-IP": proxies, "Client-IP": proxies, "True-Client-IP": proxies, "CF-Connecting-IP": proxies, "X-Cluster-Client-Ip": proxies,
		"X-HTTP-Method-Override": always, "X-HTTP-Method": always, "X-Method-Override": always,
		"X-Forwarded": always, "X-Originality": always, "Remote": always, "Proxy-Note": always, "Origin": always, "Referer": always, "X-Requested-With": always,
	}
	for _, trusted := range []bool{false, true} {
		o := gateway.Options{}
		if trusted {
			mw, err := nethttp.New(newSite(t, o, hosts.Config{}).manager, nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			require.NoError(t, err)
			o.Middleware = mw
		}
		s := newSite(t, o, hosts.Config{})
		for name, passes := range table {
			for _, spelt := range []string{name, strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "-", ".")} {
				a := s.do("GET", "/public/x", func(r *http.Request) { r.Header[spelt] = []string{"/account"} })
				require.Equal(t, http.StatusOK, a.StatusCode, spelt)
				came := false
				for _, values := range s.seen.Load().Header {
					came = came || len(values) == 1 && values[0] == "/account"
				}
				require.Equal(t, passes == always || passes == proxies && trusted, came, "%s, from a trusted proxy: %v", spelt, trusted)
			}
		}
	}
}

// TestTheOriginsCookieIsNotStoredByCDNs, whatever the origin says to them.
func TestTheOriginsCookieIsNotStoredByCDNs(t *testing.T) {
	fields := http.Header{
		"Cache-Control": {"public, max-age=60"}, "Cdn-Cache-Control": {"max-age=60"}, "Cloudflare-Cdn-Cache-Control": {"max-age=60"}, "Surrogate-Control": {"max-age=60"}, "X-Accel-Expires": {"60"},
	}
	for cookie, kept := range map[string]bool{
		"rockstar_session=x; Path=/": false, "rockstar_session=; Max-Age=0": false, "theme=dark": true, "rockstar_sessions=x": true, "": true,
	} {
		s := newSite(t, gateway.Options{Origin: origin(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range fields {
				w.Header()[name] = values
			}
			if cookie != "" {
				w.Header().Set("Set-Cookie", cookie)
			}
		})}, hosts.Config{})
		a := s.do("GET", "/public/x", nil)
		for name, values := range fields {
			switch {
			case kept:
				require.Equal(t, values, a.Header[name], cookie)
			case name == "Cache-Control":
				require.Equal(t, []string{"no-store"}, a.Header[name], cookie)
			default:
				require.NotContains(t, a.Header, name, cookie)
			}
		}
	}
}

// origin serves in place of a site's own.
func origin(t testing.TB, answer http.HandlerFunc) *url.URL {
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return u
}
