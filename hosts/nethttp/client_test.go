package nethttp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func middlewareWith(t *testing.T, o nethttp.Options) *nethttp.Middleware {
	t.Helper()
	return hostNamed(t, "", o)
}

// hostNamed is a host with a memory of its own and its own cookie name.
func hostNamed(t *testing.T, cookie string, o nethttp.Options) *nethttp.Middleware {
	t.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	m, err := hosts.New(store, hosts.Config{Key: siteKey, CookieName: cookie, NoCleanup: true, AllowInsecure: true})
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	h, err := nethttp.New(m, o)
	require.NoError(t, err)
	return h
}

func prefixes(list ...string) (all []netip.Prefix) {
	for _, p := range list {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func TestTheClientsAddress(t *testing.T) {
	own := prefixes("10.0.0.0/8", "fd00::/8")
	hops := func(hop string, n int) string { return strings.Repeat(hop+", ", n-1) + hop }
	for _, c := range []struct {
		name, remote string
		header       http.Header
		proxies      []netip.Prefix
		rfc7239      bool
		ip           string
		https        bool
	}{
		{"without the port", "192.0.2.1:4711", nil, nil, false, "192.0.2.1", false},
		{"IPv6", "[2001:db8::1]:4711", nil, nil, false, "2001:db8::1", false},
		{"IPv6 with a zone", "[fe80::1%eth0]:4711", nil, nil, false, "fe80::1", false},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:4711", nil, nil, false, "192.0.2.1", false},
		{"of a Unix socket", "@", nil, nil, false, "invalid IP", false},
		{"none", "", nil, nil, false, "invalid IP", false},
		{"nonsense", "nobody:everywhere", nil, nil, false, "invalid IP", false},

		{"nobody is trusted", "192.0.2.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}}, nil, false, "192.0.2.1", false},
		{"a stranger is not trusted", "192.0.2.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}}, own, false, "192.0.2.1", false},
		{"a proxy", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}}, own, false, "203.0.113.9", true},
		{"a proxy by IPv4 in IPv6", "[::ffff:10.0.0.1]:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}}, own, false, "203.0.113.9", false},
		{"a proxy by IPv6", "[fd00::1%eth0]:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}}, own, false, "203.0.113.9", false},
		{"a chain", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9, 10.2.2.2, 10.3.3.3"}}, own, false, "203.0.113.9", false},
		{"a chain over lines", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9", "10.2.2.2", "10.3.3.3"}}, own, false, "203.0.113.9", false},
		{"a spoofed left part", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"1.1.1.1, 10.9.9.9", "203.0.113.9, 10.2.2.2"}}, own, false, "203.0.113.9", false},
		{"all are proxies", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"10.2.2.2, 10.3.3.3"}}, own, false, "10.2.2.2", false},
		{"with a port", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9:55"}}, own, false, "203.0.113.9", false},
		{"IPv6 behind a proxy", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"2001:db8::9"}}, own, false, "2001:db8::9", false},
		{"unknown", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9, unknown, 10.2.2.2"}}, own, false, "10.2.2.2", false},
		{"garbage", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9, \x00\xff[[[,10.2.2.2"}}, own, false, "10.2.2.2", false},
		{"empty", "10.0.0.1:1", http.Header{"X-Forwarded-For": {""}}, own, false, "10.0.0.1", false},
		{"too many hops", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9," + hops("10.1.1.1", 10000)}}, own, false, "10.1.1.1", false},
		{"many strangers", "10.0.0.1:1", http.Header{"X-Forwarded-For": {hops("1.1.1.1", 10000) + ",203.0.113.9"}}, own, false, "203.0.113.9", false},
		{"the other header", "10.0.0.1:1", http.Header{"Forwarded": {"for=203.0.113.9;proto=https"}}, own, false, "10.0.0.1", false},
		{"only the protocol", "10.0.0.1:1", http.Header{"X-Forwarded-Proto": {"http, HTTPS"}}, own, false, "10.0.0.1", true},

		{"RFC 7239", "10.0.0.1:1", http.Header{"Forwarded": {"for=203.0.113.9;proto=https;by=10.0.0.1"}}, own, true, "203.0.113.9", true},
		{"RFC 7239 quoted", "10.0.0.1:1", http.Header{"Forwarded": {`For="[2001:db8:cafe::17]:4711"; Proto=HTTPS`}}, own, true, "2001:db8:cafe::17", true},
		{"RFC 7239 chain", "10.0.0.1:1", http.Header{"Forwarded": {"for=203.0.113.9;proto=https, for=10.2.2.2;proto=http"}}, own, true, "203.0.113.9", true},
		{"RFC 7239 spoofed", "10.0.0.1:1", http.Header{"Forwarded": {`for=1.1.1.1;proto=https, for="9.9.9.9`, "for=203.0.113.9;proto=http"}}, own, true, "203.0.113.9", false},
		{"RFC 7239 unknown", "10.0.0.1:1", http.Header{"Forwarded": {"for=unknown, for=10.2.2.2"}}, own, true, "10.2.2.2", false},
		{"RFC 7239 hidden", "10.0.0.1:1", http.Header{"Forwarded": {`for=203.0.113.9, for="_hidden"`}}, own, true, "10.0.0.1", false},
		{"RFC 7239 garbage", "10.0.0.1:1", http.Header{"Forwarded": {`;;=;"for"=;for`}}, own, true, "10.0.0.1", false},
		{"RFC 7239 ignores the other", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}}, own, true, "10.0.0.1", false},
	} {
		o := nethttp.Options{TrustedProxies: c.proxies}
		if c.rfc7239 {
			o.ForwardedHeader = "forwarded"
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header = c.remote, c.header
		x := middlewareWith(t, o).Request(httptest.NewRecorder(), r)
		require.Equal(t, c.ip, x.IP.String(), c.name)
		require.Equal(t, c.https, x.HTTPS, c.name)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = new(tls.ConnectionState)
	require.True(t, middlewareWith(t, nethttp.Options{}).Request(nil, r).HTTPS)
}

// TestBehindAUnixSocket a peer has no address: it is believed when that is asked for.
func TestBehindAUnixSocket(t *testing.T) {
	for _, trust := range []bool{false, true} {
		h := middlewareWith(t, nethttp.Options{TrustUnixSocket: trust, TrustedProxies: prefixes("10.0.0.0/8")})
		var ip netip.Addr
		srv := httptest.NewUnstartedServer(h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := h.Request(w, r)
			ip = x.IP
			if v, err := nethttp.From(r); err != nil || v.Login("alice", 0) != nil {
				t.Error("no session on a Unix socket")
			}
		})))
		require.NoError(t, srv.Listener.Close())
		listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		require.NoError(t, err)
		srv.Listener = listener
		srv.Start()
		req, err := http.NewRequest("GET", "http://socket.test/", nil)
		require.NoError(t, err)
		req.Header.Set("X-Forwarded-For", "203.0.113.9, 10.0.0.1")
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", listener.Addr().String())
		}}
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Len(t, resp.Cookies(), 1)
		require.Equal(t, trust, ip.IsValid())
		if trust {
			require.Equal(t, "203.0.113.9", ip.String())
		}
		transport.CloseIdleConnections()
		srv.Close()
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	_, err := nethttp.New(nil, nethttp.Options{})
	require.ErrorContains(t, err, "hosts.New")
	m := middlewareWith(t, nethttp.Options{}).Manager()
	for _, c := range []struct {
		o    nethttp.Options
		text string
	}{
		{nethttp.Options{ForwardedHeader: "X-Real-IP"}, `nethttp: ForwardedHeader is "X-Real-IP"; allowed: X-Forwarded-For, Forwarded`},
		{nethttp.Options{TrustedProxies: make([]netip.Prefix, 1)}, "nethttp: TrustedProxies is "},
		{nethttp.Options{TrustedProxies: prefixes("::ffff:10.0.0.0/104")}, `nethttp: TrustedProxies is "::ffff:10.0.0.0/104"`},
	} {
		_, err := nethttp.New(m, c.o)
		var bad *hosts.ConfigError
		require.True(t, errors.As(err, &bad))
		require.ErrorContains(t, err, c.text)
	}
	_, err = nethttp.From(httptest.NewRequest("GET", "/", nil))
	require.ErrorIs(t, err, nethttp.ErrNoHandler)
	_, err = middlewareWith(t, nethttp.Options{}).From(httptest.NewRequest("GET", "/", nil))
	require.ErrorIs(t, err, nethttp.ErrNoHandler)
}
