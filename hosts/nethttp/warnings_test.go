package nethttp_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// logged is a middleware whose log is written to the buffer.
func logged(t *testing.T, log *strings.Builder, c hosts.Config, o nethttp.Options) *nethttp.Middleware {
	t.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	c.Key, c.NoCleanup, c.Logger = siteKey, true, slog.New(slog.NewTextHandler(log, nil))
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	mw, err := nethttp.New(m, o)
	require.NoError(t, err)
	return mw
}

func TestAProxyThatIsNotTrustedIsNamedOnce(t *testing.T) {
	const named, general = "comes from an address that is not in TrustedProxies", "a Secure cookie was set over plain HTTP"
	xfp, rfc7239 := http.Header{"X-Forwarded-Proto": {"http, https"}}, http.Header{"Forwarded": {`for=192.0.2.1;proto="https"`}}
	own := nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for name, c := range map[string]struct {
		header         http.Header
		config         hosts.Config
		options        nethttp.Options
		named, general int
	}{
		"no proxy":                    {nil, hosts.Config{}, nethttp.Options{}, 0, 1},
		"X-Forwarded-Proto":           {xfp, hosts.Config{}, nethttp.Options{}, 1, 0},
		"Forwarded":                   {rfc7239, hosts.Config{}, nethttp.Options{}, 1, 0},
		"with Secure by the request":  {xfp, hosts.Config{SecureByRequest: true}, nethttp.Options{}, 1, 0},
		"trusted":                     {xfp, hosts.Config{}, own, 0, 0},
		"a proxy that says HTTP":      {http.Header{"X-Forwarded-Proto": {"https, http"}}, hosts.Config{}, nethttp.Options{}, 0, 1},
		"while it is developed":       {xfp, hosts.Config{AllowInsecure: true}, nethttp.Options{}, 0, 0},
		"a field that has no meaning": {http.Header{"X-Forwarded-Proto": {""}, "Forwarded": {"for=unknown"}}, hosts.Config{}, nethttp.Options{}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			mw := logged(t, &log, c.config, c.options)
			page := mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Login("alice", 0) })
			for range 3 {
				r := httptest.NewRequest(http.MethodPost, "/login", nil)
				r.RemoteAddr, r.Header = "10.0.0.7:4711", c.header.Clone()
				page.ServeHTTP(httptest.NewRecorder(), r)
			}
			require.NoError(t, mw.Close())
			require.Equal(t, c.named, strings.Count(log.String(), named), log.String())
			require.Equal(t, c.named, strings.Count(log.String(), "address=10.0.0.7"), log.String())
			require.Equal(t, c.general, strings.Count(log.String(), general), log.String())
		})
	}
}

func TestRefusedRequestsAreLogged(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // with its level; "": no line of a request
	}{
		"too large":           {core.ErrValueSize, "level=INFO msg=\"sessions: a request was refused\" status=413"},
		"a bad name":          {core.ErrBadUser, "level=INFO msg=\"sessions: a request was refused\" status=400"},
		"on purpose, a cause": {&nethttp.StatusError{Status: 422, Text: "No.", Err: errors.New("the form is empty")}, "status=422 error=\"422 No.: the form is empty\""},
		"on purpose":          {&nethttp.StatusError{Status: 404, Text: "There is no such page."}, ""},
		"a gateway's cause":   {&nethttp.StatusError{Status: 502, Text: "No.", Err: errors.New("upstream")}, "level=ERROR msg=\"sessions: a request got an error page by a fault of the program\" error=\"502 No.: upstream\""},
		"a fault":             {errors.New("x"), "level=ERROR msg=\"sessions: a request got an error page by a fault of the program\" error=x"},
		"the store":           {hosts.ErrBusy, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			mw := logged(t, &log, hosts.Config{}, nethttp.Options{})
			page := mw.HandlerFunc(func(http.ResponseWriter, *http.Request, *nethttp.Session) error { return c.err })
			page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			require.NoError(t, mw.Close())
			if c.want == "" {
				require.NotContains(t, log.String(), "a request")
				return
			}
			require.Equal(t, 1, strings.Count(log.String(), c.want), log.String())
		})
	}
}
