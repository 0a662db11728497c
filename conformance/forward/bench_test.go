package forward

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
)

// BenchmarkRatioForwardAuth compares signed-in requests through nginx with the same
// nginx whose auth_request asks a handler that does nothing: the median of single
// requests over eight connections. The check is in this process, or the command.
func BenchmarkRatioForwardAuth(b *testing.B) {
	const connections, rounds = 8, 4000
	nginx := proxies[0]
	empty := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Cleanup(empty.Close)
	for name, s := range map[string]*site{"": open(b, nginx, hosts.Config{}, gateway.Check{}), "-command": withCommand(b, nginx)} {
		cookie := s.login("alice")
		alone := nginx.run(b, empty.Listener.Addr().String(), s.application.Listener.Addr().String())
		get := func(addr string) func() {
			return ratio.InTurn(connections, func() func() {
				client := &http.Client{Transport: &http.Transport{}}
				b.Cleanup(client.CloseIdleConnections)
				return func() {
					r, err := http.NewRequest("GET", "http://"+addr+"/account", nil)
					require.NoError(b, err)
					r.Header.Set("Cookie", strings.TrimPrefix(cookie, "Cookie: "))
					a, err := client.Do(r)
					require.NoError(b, err)
					_, err = io.Copy(io.Discard, a.Body)
					require.NoError(b, err)
					a.Body.Close()
					require.Equal(b, http.StatusOK, a.StatusCode)
				}
			})
		}
		for range b.N {
			times := ratio.Interleave(rounds, get(alone), get(s.addr))
			b.Logf("p50 of an empty handler %v, of the check %v", times[0], times[1])
			ratio.Print("forward-auth-nginx"+name, float64(times[1])/float64(times[0]), 1.5, false)
		}
	}
}
