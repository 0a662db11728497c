package mission

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/metrics"
	"github.com/rockstar-web/sessions/hosts/otel"
)

// otherwise are the names that OpenTelemetry's conventions want another way: usage of what
// has a limit, no plural or unit in what goes up and down, errors as an attribute of the
// duration, versions as those of the scope and the resource.
var otherwise = map[string]string{
	"sessions.line.count": "sessions_lines", "sessions.queue.size": "sessions_queue_bytes",
	"sessions.cache.session.count": "sessions_cache_sessions", "sessions.cache.usage": "sessions_cache_bytes",
	"sessions.memory.session.count": "sessions_memory_sessions", "sessions.memory.usage": "sessions_memory_bytes",
	"sessions.gateway.active_requests": "sessions_gateway_requests_in_flight",
}

var onlyPrometheus = []string{"sessions_build_info", "sessions_commit_errors_total", "sessions_store_errors_total"}

// inPrometheus is the name by which OpenTelemetry's exporters give a metric to Prometheus.
func inPrometheus(m metricdata.Metrics) string {
	if name := otherwise[m.Name]; name != "" {
		return name
	}
	name := strings.ReplaceAll(m.Name, ".", "_") + map[string]string{"s": "_seconds", "By": "_bytes"}[m.Unit]
	if sum, ok := m.Data.(metricdata.Sum[int64]); ok && sum.IsMonotonic {
		name += "_total"
	}
	return name
}

type requests struct{}

func (requests) Counts() (map[string]int64, int64) {
	return map[string]int64{"signed_in": 7, "denied": 2}, 3
}

// counted is a manager that both count, and what each shows of it.
type counted struct {
	*hosts.Manager
	prometheus *metrics.Metrics
	reader     *sdkmetric.ManualReader
}

func countTwice(t *testing.T, store hosts.Store) *counted {
	t.Helper()
	c := &counted{prometheus: metrics.New(), reader: sdkmetric.NewManualReader()}
	o, err := otel.New(otel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader))})
	require.NoError(t, err)
	c.prometheus.AddGateway(requests{})
	o.AddGateway(requests{})
	c.Manager, err = hosts.New(store, hosts.Config{Key: key, Observer: hosts.Observers(c.prometheus, o), NoCleanup: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// samples are the values by name and label; of a histogram just its name.
type samples map[string]float64

func (s samples) note(name, label string, value float64) {
	if label = strings.TrimPrefix(label, "sessions."); label != "=" {
		name += "{" + label + "}"
	}
	s[name] = value
}

func (c *counted) byPrometheus(t *testing.T) samples {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c.prometheus)
	families, err := registry.Gather()
	require.NoError(t, err)
	all := samples{}
	for _, f := range families {
		if slices.Contains(onlyPrometheus, f.GetName()) {
			continue
		}
		for _, m := range f.GetMetric() {
			label := m.GetLabel()
			switch {
			case m.Histogram != nil:
				all.note(f.GetName(), "=", 0)
			case len(label) == 0:
				all.note(f.GetName(), "=", m.GetCounter().GetValue()+m.GetGauge().GetValue())
			default:
				require.Len(t, label, 1)
				all.note(f.GetName(), label[0].GetName()+"="+label[0].GetValue(), m.GetCounter().GetValue()+m.GetGauge().GetValue())
			}
		}
	}
	return all
}

func (c *counted) byOpenTelemetry(t *testing.T) samples {
	var found metricdata.ResourceMetrics
	require.NoError(t, c.reader.Collect(context.Background(), &found))
	all := samples{}
	note := func(name string, set attribute.Set, value float64) {
		require.LessOrEqual(t, set.Len(), 1)
		a, _ := set.Get(0)
		all.note(name, string(a.Key)+"="+a.Value.String(), value)
	}
	for _, m := range found.ScopeMetrics[0].Metrics {
		name := inPrometheus(m)
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				note(name, p.Attributes, float64(p.Value))
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				note(name, p.Attributes, p.Value)
			}
		case metricdata.Histogram[float64]:
			all.note(name, "=", 0)
		default:
			t.Fatalf("%s is a %T", m.Name, data)
		}
	}
	return all
}

// TestBothHaveTheSameFigures: hosts/metrics and hosts/otel, over stores that have all that
// is counted, with the same values.
func TestBothHaveTheSameFigures(t *testing.T) {
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	database, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, database.Close()) })
	cache, err := cachestore.NewCached(database, cachestore.CachedOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cache.Close()) })
	of := map[string]bool{}
	for _, store := range []hosts.Store{memory, cache} {
		c := countTwice(t, store)
		x := c.Attach(&hosts.Request{Context: t.Context(), Reply: func(string, string) error { return nil }})
		_, err := c.Login(x, "ann", 0)
		require.NoError(t, err)
		p, o := c.byPrometheus(t), c.byOpenTelemetry(t)
		require.Equal(t, 1.0, p["sessions_logins_total"])
		for _, s := range []samples{p, o} {
			for name := range s {
				name, _, _ = strings.Cut(name, "_total")
				part, _, _ := strings.Cut(strings.TrimPrefix(name, "sessions_"), "_")
				of[part] = true
			}
			for _, moves := range []string{"sessions_feed_age_seconds", "sessions_feed_questions_total{result=complete}"} { // from one look to the next
				if _, ok := s[moves]; ok {
					s[moves] = 0
				}
			}
		}
		require.Equal(t, p, o)
	}
	for _, part := range []string{"queue", "feed", "cache", "memory", "gateway", "store", "commit", "begun"} {
		require.True(t, of[part], "no store shows %s: %v", part, slices.Sorted(maps.Keys(of)))
	}
}
