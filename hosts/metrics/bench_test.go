package metrics_test

import (
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/metrics"
)

func serve(b *testing.B, c hosts.Config) *ratio.Visitor {
	b.Helper()
	v := ratio.NewVisitor(b, application(b, nil, c))
	v.Post("/login?user=alice")
	v.Post("/add")
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
		ratio.Print("metrics-cpu-"+path[1:], ratio.CPU(rounds, turns, plain.Posts(path, requests), measured.Posts(path, requests)), 1.03, false)
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
