package gateway_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

type fine struct{}

func (fine) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r, ProtoMajor: 1}, nil
}

// FuzzCheckJudgesAsTheGateway: what the one refuses, the other refuses.
func FuzzCheckJudgesAsTheGateway(f *testing.F) {
	rules := []gateway.Rule{{Prefix: "/public", Access: gateway.Public}, {Prefix: "/public/not"}, {Prefix: "/secret", Access: gateway.Denied}}
	s, inField := newCheck(f, gateway.Options{Check: &gateway.Check{}, Rules: rules}, hosts.Config{}, nethttp.Options{})
	_, inPath := newCheck(f, gateway.Options{Check: &gateway.Check{URIPrefix: "/check"}, Rules: rules}, hosts.Config{}, nethttp.Options{})
	mw, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(f, err)
	proxy, err := gateway.New(gateway.Options{Middleware: mw, Origin: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Rules: rules, Transport: fine{}})
	require.NoError(f, err)
	for _, target := range []string{"/", "/public", "/public/not?x", "/secret;a/b", "/public/../account", "/public/..%2faccount", "/public%5cx", "//public", "/public/..;x/a", "/public/%c0%ae", "/public/%252e", "/z%C3%B6", "/public?a=//b", "/public#/../secret", "/ä"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		read := func(target string) (*http.Request, error) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")))
			if err == nil {
				r.RemoteAddr = "192.0.2.1:1"
			}
			return r, err
		}
		r, err := read(target)
		if err != nil || r.RequestURI != target || !strings.HasPrefix(target, "/") {
			return
		}
		want := judge(proxy, r).Code
		if strings.Contains(target, "#") {
			want = http.StatusBadRequest
		}
		require.Equal(t, want, judge(inField, question("/", uri, target)).Code)
		r, err = read("/check" + target)
		require.NoError(t, err)
		require.Equal(t, want, judge(inPath, r).Code)
	})
}
