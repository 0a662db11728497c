package metrics

import (
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
)

// gateway is a *gateway.Gateway: its requests by what became of them, and those under
// way.
type gateway = interface {
	Counts() (map[string]int64, int64)
}

// AddGateway has the figures of a gateway among these. They are those of the last one.
func (m *Metrics) AddGateway(g interface {
	Counts() (map[string]int64, int64)
}) {
	m.gateway.Store(&g)
}

// Describe implements prometheus.Collector. It describes nothing: which figures there
// are depends on the store of a manager that is made later.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. It asks the store nothing.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.measured {
		c.Collect(ch)
	}
	s := sink(ch)
	s.put(build(), 1)
	if g := m.gateway.Load(); g != nil {
		outcomes, now := (*g).Counts()
		for name, n := range outcomes {
			s.put(gatewayRequests, float64(n), name)
		}
		s.put(gatewayNow, float64(now))
	}
	manager := m.manager.Load()
	if manager == nil {
		return
	}
	st := manager.Stats()
	s.sessions(&st)
	if st.Queues != nil {
		s.queues(st.Queues)
	}
	if st.Feed != nil {
		s.feed(st.Feed)
	}
	if cached, ok := hosts.As[interface{ Stats() cachestore.CachedStats }](manager.Store()); ok {
		c := cached.Stats()
		s.cache(&c)
	}
	if memory, ok := hosts.As[interface{ Stats() cachestore.Stats }](manager.Store()); ok {
		c := memory.Stats()
		s.put(memorySessions, float64(c.Sessions))
		s.put(memoryBytes, float64(c.Bytes))
		s.put(memoryLimit, float64(c.MaxBytes))
	}
}

const module = "github.com/rockstar-web/sessions"

// build is 1 under the versions of this library and of Go.
var build = sync.OnceValue(func() figure {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == module && m.Version != "" && m.Version != "(devel)" {
				version = m.Version
			}
		}
	}
	return figure{prometheus.NewDesc("sessions_build_info", "1, under the versions of this library and of Go.", nil,
		prometheus.Labels{"version": version, "go": runtime.Version()}), prometheus.GaugeValue}
})
