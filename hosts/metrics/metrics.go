package metrics

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rockstar-web/sessions/hosts"
)

// maxScrapes is how many scrapes Handler answers at once; more get 503.
const maxScrapes = 4

// buckets are the upper bounds of the histograms, in seconds: memory answers below the
// first, and hosts.DefaultCommitTimeout ends a commit.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics are the figures of one manager. It is its hosts.Config.Observer, and a
// prometheus.Collector. It is safe for concurrent use.
type Metrics struct {
	manager   atomic.Pointer[hosts.Manager]
	gateway   atomic.Pointer[gateway]
	durations [hosts.Ops]prometheus.Histogram
	errors    [hosts.Ops][hosts.Failures]prometheus.Counter
	measured  []prometheus.Collector
}

var (
	_ hosts.Observer       = (*Metrics)(nil)
	_ prometheus.Collector = (*Metrics)(nil)
)

// New returns the figures of a manager that is to be made with them as its
// hosts.Config.Observer.
func New() *Metrics {
	m := &Metrics{}
	commit := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "sessions_commit_duration_seconds", Buckets: buckets,
		Help: "Time to store what a request did, tries again and waits in line included."})
	commitErrors := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sessions_commit_errors_total",
		Help: "Commits that were refused or failed."}, []string{"error"})
	store := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sessions_store_duration_seconds", Buckets: buckets,
		Help: "Time of a call of the store, waits in its queues included."}, []string{"verb"})
	storeErrors := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sessions_store_errors_total",
		Help: "Calls of the store that returned an error; not_found and conflict are answers, not failures."}, []string{"verb", "error"})
	m.durations[hosts.OpCommit] = commit
	for f := hosts.FailureNone + 1; f < hosts.Failures; f++ {
		m.errors[hosts.OpCommit][f] = commitErrors.WithLabelValues(f.String())
	}
	for op := hosts.OpCommit + 1; op < hosts.Ops; op++ {
		m.durations[op] = store.WithLabelValues(op.String()).(prometheus.Histogram)
		for f := hosts.FailureNone + 1; f < hosts.Failures; f++ {
			m.errors[op][f] = storeErrors.WithLabelValues(op.String(), f.String())
		}
	}
	m.measured = []prometheus.Collector{commit, commitErrors, store, storeErrors}
	return m
}

// errTwice: the figures of two managers would be added up without anybody knowing.
var errTwice = errors.New("these metrics have a manager already; make others with metrics.New, and register them by prometheus.WrapRegistererWith under a label of their own")

// AttachManager has the manager's figures read from now on. hosts.New calls it. It
// refuses a second manager.
func (m *Metrics) AttachManager(manager *hosts.Manager) error {
	if !m.manager.CompareAndSwap(nil, manager) && m.manager.Load() != manager {
		return errTwice
	}
	return nil
}

// Begin implements hosts.Observer.
func (m *Metrics) Begin(ctx context.Context, _ hosts.Call) context.Context { return ctx }

// End implements hosts.Observer.
func (m *Metrics) End(_ context.Context, c hosts.Call, took time.Duration, err error) {
	if c.Op >= hosts.Ops {
		return
	}
	m.durations[c.Op].Observe(took.Seconds())
	if f := hosts.FailureOf(err); f != hosts.FailureNone {
		m.errors[c.Op][f].Inc()
	}
}

// Handler returns the figures, and those of the process and of Go, in Prometheus'
// text format. Serve it on an address that only operators reach.
func (m *Metrics) Handler() http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes, EnableOpenMetrics: true})
}
