package gateway

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// outcome is what became of a request.
type outcome int

const (
	outcomeSignedIn outcome = iota
	outcomePublic
	outcomeUnauthorized
	outcomeToLogin
	outcomeDenied
	outcomeBadPath
	outcomeStoreFailed
	outcomeOriginFailed
	outcomeClientGone
	outcomeSlowBody
	outcomeBadCheck
	outcomes
)

var outcomeNames = [outcomes]string{"signed_in", "public", "unauthorized", "to_login", "denied", "bad_path", "store_failed", "origin_failed", "client_gone", "slow_body", "bad_check"}

type counts struct {
	by  [outcomes]atomic.Int64
	now atomic.Int64
}

func (c *counts) begin()        { c.now.Add(1) }
func (c *counts) end()          { c.now.Add(-1) }
func (c *counts) add(o outcome) { c.by[o].Add(1) }

// Counts returns the requests by what became of them, and those under way.
func (g *Gateway) Counts() (requests map[string]int64, underWay int64) {
	requests = make(map[string]int64, outcomes)
	for o, name := range outcomeNames {
		requests[name] = g.counts.by[o].Load()
	}
	return requests, g.counts.now.Load()
}

// Metrics returns the handler of the gateway's figures in Prometheus' text
// format, for an address that only operators reach: Options.Metrics, if it is set.
func (g *Gateway) Metrics() http.Handler {
	if g.o.Metrics != nil {
		return g.o.Metrics(g)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprintln(w, "# HELP sessions_gateway_requests_total Requests by what became of them. An origin's or client's failure counts beside who was let in.")
		fmt.Fprintln(w, "# TYPE sessions_gateway_requests_total counter")
		for o, name := range outcomeNames {
			fmt.Fprintf(w, "sessions_gateway_requests_total{outcome=%q} %d\n", name, g.counts.by[o].Load())
		}
		fmt.Fprintln(w, "# HELP sessions_gateway_requests_in_flight Requests under way.")
		fmt.Fprintln(w, "# TYPE sessions_gateway_requests_in_flight gauge")
		fmt.Fprintf(w, "sessions_gateway_requests_in_flight %d\n", g.counts.now.Load())
	})
}
