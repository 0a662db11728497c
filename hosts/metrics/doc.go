// Package metrics has the figures of sessions for Prometheus: what a manager counts,
// how long its commits and the calls of its store take, and the queues, the feed and
// the cache of the store.
//
//	figures := metrics.New()
//	app, err := sessions.New(store, sessions.Config{Observer: figures})
//	go http.ListenAndServe("localhost:9090", figures.Handler())
//
// A program that has a registry of its own registers the Metrics there instead: it is
// a prometheus.Collector. What each figure means, which alerts matter and what to do
// about them stands in docs/operations.md; deploy/prometheus has the alerts and a
// dashboard as files.
//
// No label has a user, an ID, a tenant or anything else that a visitor sends: each
// takes its values from a list that is fixed when the program is built. So the number
// of series is the same from the start on, whatever visitors do.
package metrics
