package metrics_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/metrics"
)

// visitor sends a request of somebody who is signed in.
type visitor func(b *testing.B, path string)

func serve(b *testing.B, c hosts.Config) visitor {
	b.Helper()
	server := httptest.NewServer(application(b, nil, c))
	b.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(b, err)
	client := &http.Client{Jar: jar, Transport: &http.Transport{}}
	b.Cleanup(client.CloseIdleConnections)
	v := func(b *testing.B, path string) {
		answer, err := client.Post(server.URL+path, "", nil)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, answer.StatusCode)
		_, err = io.Copy(io.Discard, answer.Body)
		require.NoError(b, err)
		require.NoError(b, answer.Body.Close())
	}
	v(b, "/login?user=alice")
	v(b, "/add")
	return v
}

// How much more CPU a request takes with metrics than without, the median of 20 rounds.
// Memory is the store, against which they weigh most.
func BenchmarkRatioMetrics(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, turns, requests = 20, 40, 25
	plain, measured := serve(b, hosts.Config{}), serve(b, hosts.Config{Observer: metrics.New()})
	for _, path := range []string{"/read", "/add"} {
		ask := func(v visitor) func() {
			return func() {
				for range requests {
					v(b, path)
				}
			}
		}
		ratio.Print("metrics-cpu-"+path[1:], ratio.CPU(rounds, turns, ask(plain), ask(measured)), 1.03, false)
	}
}

// What a call costs that is measured.
func BenchmarkEnd(b *testing.B) {
	m := metrics.New()
	ctx := m.Begin(b.Context(), hosts.Call{Op: hosts.OpLoad})
	b.ReportAllocs()
	for b.Loop() {
		m.End(ctx, hosts.Call{Op: hosts.OpLoad}, time.Millisecond, nil)
	}
}
