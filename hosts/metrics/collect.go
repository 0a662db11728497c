package metrics

import (
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rockstar-web/sessions/hosts"
)

// gateway is a *gateway.Gateway: its requests by what became of them, and those under
// way.
type gateway = interface {
	Counts() (map[string]int64, int64)
}

// AddGateway adds the figures of a gateway, in place of those of an earlier one. Nil adds
// none.
func (m *Metrics) AddGateway(g interface {
	Counts() (map[string]int64, int64)
}) {
	if g != nil {
		m.gateway.Store(&g)
	}
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
	if st.Cache != nil {
		s.cache(st.Cache)
	}
	if st.Memory != nil {
		s.memory(st.Memory)
	}
}

// build is 1 under the versions of this library and of Go.
var build = sync.OnceValue(func() figure {
	return figure{prometheus.NewDesc("sessions_build_info", "1, under the versions of this library and of Go.", nil,
		prometheus.Labels{"version": hosts.Version(), "go": runtime.Version()}), prometheus.GaugeValue}
})
