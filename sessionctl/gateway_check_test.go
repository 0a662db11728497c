package sessionctl

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// TestGatewayChecks: with --check it answers a proxy that asks.
func TestGatewayChecks(t *testing.T) {
	t.Setenv(hosts.DefaultKeyVariable, gatewayKey)
	t.Setenv(storeVariable, newSharedStore(t))
	for _, c := range []struct {
		args  []string
		field string // the URI's, or none
	}{
		{[]string{"--check"}, "X-Forwarded-Uri"},
		{[]string{"--check", "--check-nginx"}, "X-Forwarded-Uri"},
		{[]string{"--check", "--check-uri", "x-original-uri"}, "X-Original-Uri"},
		{[]string{"--check", "--check-prefix", "/check"}, ""},
	} {
		ctx, stop := context.WithCancel(t.Context())
		lines, done := startGateway(ctx, append(c.args, "--trusted-proxy", "127.0.0.1", "--addr", "127.0.0.1:0", "--public", "/login", "--login", "/login")...)
		var url string
		select {
		case url = <-lines:
		case code := <-done:
			require.Fail(t, "the gateway ended", "exit code %d", code)
		}
		ask := func(path string) int {
			target := strings.TrimSuffix(url, "/\n")
			r, err := http.NewRequest(http.MethodGet, target+"/check"+path, nil)
			require.NoError(t, err)
			if c.field != "" {
				r.Header.Set(c.field, path)
			}
			a, err := http.DefaultTransport.RoundTrip(r)
			require.NoError(t, err)
			require.NoError(t, a.Body.Close())
			return a.StatusCode
		}
		require.Equal(t, http.StatusOK, ask("/login"), c.args)
		require.Equal(t, http.StatusUnauthorized, ask("/account"), c.args)
		stop()
		require.Equal(t, exitFine, <-done)
	}
}

func TestGatewayRefusesItsChecks(t *testing.T) {
	t.Setenv(hosts.DefaultKeyVariable, gatewayKey)
	t.Setenv(storeVariable, newSharedStore(t))
	trusted := []string{"--trusted-proxy", "127.0.0.1"}
	for want, args := range map[string][]string{
		"--check and --origin exclude each other":                     {"--check", "--origin", "http://127.0.0.1:1"},
		"--check-uri, --check-prefix and --check-nginx need --check":  {"--check-nginx", "--origin", "http://127.0.0.1:1"},
		`--trusted-proxy is "none"`:                                   {"--check"},
		`--check-uri is "a_b"; allowed: the name of a header field`:   append(trusted, "--check", "--check-uri", "a_b"),
		`--check-prefix is "check"; allowed: a path such as /check`:   append(trusted, "--check", "--check-prefix", "check"),
		`--check-prefix is "/c"; allowed: one of URIField`:            append(trusted, "--check", "--check-prefix", "/c", "--check-uri", "X-Uri"),
		`--strip-cookie or --keep-host is "set"; allowed: none of th`: append(trusted, "--check", "--strip-cookie"),
	} {
		var errs bytes.Buffer
		p := &Program{In: strings.NewReader(""), Out: io.Discard, Err: &errs}
		require.Equal(t, exitUsage, p.Run(t.Context(), append([]string{"gateway"}, args...)), errs.String())
		require.Contains(t, errs.String(), want)
	}
}
